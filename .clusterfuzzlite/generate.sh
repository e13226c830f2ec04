#!/bin/sh
# generate.sh SOURCE OUT: all that the fuzz targets need of the generator: C of each module, and
# what the targets begin with.
set -eu
source=$1
out=$2

# ragel INPUT OUTPUT
ragel_c() {
    ragel -C -L -G2 "$1" -o "$2"
}

mkdir -p "$out/runtime"
ragel_c "$source/src/runtime/scan.rl" "$out/runtime/scan.c"
for module in bc26=spec/quectel/bc26-tcpip.yaml tide=tests/generator/second/tide.yaml; do
    name=${module%%=*}
    python3 "$source/gen/atspec" build "$source/${module#*=}" -o "$out/$name"
    ragel_c "$out/$name/${name}_head.rl" "$out/$name/${name}_head.c"
    ragel_c "$out/$name/${name}_command.rl" "$out/$name/${name}_command.c"
done
python3 "$source/tests/fuzz/run.py" --corpora "$out/corpora"
