#!/bin/sh
# Compiles the fuzz targets with what the builder's environment says: CC, CFLAGS, OUT,
# LIB_FUZZING_ENGINE. What was generated stands in $SRC/generated: see generate.sh.
set -eu
generated=${SRC:?}/generated
work=${WORK:-/tmp}
flags="-std=c99 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Iinclude -Isrc/runtime -Isrc/tool -Itests"

# objects FOLDER FLAG... FILE...: compile each; a FILE ends in .c
objects() {
    to=$1
    own=
    shift
    mkdir -p "$to"
    for word in "$@"; do
        case $word in
            # shellcheck disable=SC2086 # lists of words
            *.c) $CC $CFLAGS $flags $own -c "$word" -o "$to/$(basename "$word" .c).o" ;;
            *) own="$own $word" ;;
        esac
    done
}

objects "$work/runtime" src/runtime/*.c "$generated/runtime/scan.c"
for module in bc26 tide; do
    prefix=
    [ "$module" = bc26 ] || prefix=${module}_
    rm -f "$generated/$module/${module}_heads.c" # the head machine's stead
    objects "$work/$module" "-I$generated/$module" "-DMODULE_HEADER=\"${module}_module.h\"" \
        "-DMODULE=$module" "-DMODULE_GRAMMAR=${module}_grammar" "$generated/$module"/*.c \
        tests/fuzz/fuzz.c tests/fuzz/account.c tests/unit/members.c tests/unit/recorder.c \
        src/tool/session.c src/tool/tool.c
    for target in stream split command roundtrip structured client; do
        objects "$work/targets" "tests/fuzz/$target.c"
        # shellcheck disable=SC2086 # the engine may be several words
        $CXX $CXXFLAGS "$work/targets/$target.o" "$work/$module"/*.o "$work/runtime"/*.o \
            $LIB_FUZZING_ENGINE -o "$OUT/fuzz_$prefix$target"
        cp "$generated/corpora/$prefix$target.dict" "$OUT/fuzz_$prefix$target.dict"
        cp "$generated/corpora/$prefix$target.zip" "$OUT/fuzz_$prefix${target}_seed_corpus.zip"
    done
done
