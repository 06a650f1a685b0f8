#!/bin/bash -eu
# build.sh: what OSS-Fuzz runs, in a container of its own: the fuzz targets of the library, each with its corpus.
# CC, CFLAGS, LIB_FUZZING_ENGINE, WORK and OUT are OSS-Fuzz's.
cmake -G Ninja -S . -B "$WORK/ibuf" \
	-DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="$CFLAGS" \
	-DIBUF_PROGRAMS=OFF -DIBUF_EXAMPLES=OFF -DIBUF_SHARED=OFF \
	-DIBUF_BUILD_FUZZERS=ON -DIBUF_FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
for target in message cursor; do
	ninja -C "$WORK/ibuf" "fuzz_$target"
	cp "$WORK/ibuf/tests/fuzz/fuzz_$target" "$OUT/"
	(cd "tests/fuzz/corpus/$target" && zip -q "$OUT/fuzz_${target}_seed_corpus.zip" ./*)
done
