"""conanfile.py - a recipe of ibuf for Conan 2."""

import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, get, rmdir

required_conan_version = ">=2.0"


class IbufConan(ConanFile):
    name = "ibuf"
    version = "@VERSION@"
    description = "Message buffers, and the pools they come from"
    license = "MIT"
    topics = ("buffer", "mbuf", "pool", "network")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("ibuf is tested on Linux only")

    def configure(self):
        # It is C; what C++ there is, is in headers.
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def layout(self):
        cmake_layout(self, src_folder="src")

    def source(self):
        get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["IBUF_SHARED"] = bool(self.options.shared)
        for part in ("MANUAL", "PROGRAMS", "EXAMPLES", "TESTS"):
            toolchain.cache_variables["IBUF_" + part] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        # Conan makes its own; of the two libraries the one that was asked for stays.
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))
        if self.options.shared:
            os.remove(os.path.join(self.package_folder, "lib", "libibuf.a"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "ibuf")
        self.cpp_info.set_property("cmake_target_name", "ibuf::ibuf")
        self.cpp_info.set_property("pkg_config_name", "ibuf")
        self.cpp_info.libs = ["ibuf"]
        if not self.options.shared:
            self.cpp_info.system_libs = ["pthread"]
            self.cpp_info.exelinkflags = ["-Wl,-z,nodelete"]
            self.cpp_info.sharedlinkflags = ["-Wl,-z,nodelete"]
