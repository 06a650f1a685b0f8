# A port of ibuf for vcpkg. A static triplet has the archive alone, a dynamic one both libraries.
vcpkg_download_distfile(archive
  URLS "@URL@"
  FILENAME "@TARBALL@"
  SHA512 @SHA512@)
vcpkg_extract_source_archive(source ARCHIVE "${archive}")

string(COMPARE EQUAL "${VCPKG_LIBRARY_LINKAGE}" "dynamic" shared)
vcpkg_cmake_configure(
  SOURCE_PATH "${source}"
  OPTIONS
    -DIBUF_SHARED=${shared}
    -DIBUF_MANUAL=OFF
    -DIBUF_PROGRAMS=OFF
    -DIBUF_EXAMPLES=OFF
    -DIBUF_TESTS=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/ibuf)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${source}/LICENSE")
