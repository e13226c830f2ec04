#!/bin/sh
# usage: size.sh GENERATED
# Compiles the runtime, the generated host code and the sockets over it for a Cortex-M0+, freestanding, and
# prints their flash. Fails when they need a library beyond the four functions that gcc
# itself asks of a freestanding place (and memchr), or hold a writable global.
set -eu
generated=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cc="arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -Os -std=c99 -ffreestanding -Wall -Wextra
    -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror
    -Iinclude -Isrc/runtime -I$generated"
if ! command -v arm-none-eabi-gcc >/dev/null 2>&1; then
    echo "skipped: arm-none-eabi-gcc isn't installed (apt-get install gcc-arm-none-eabi)"
    exit 77
fi

# The smallest machines, whatever the host's build uses.
ragel -C -L -T0 src/runtime/scan.rl -o "$out/scan.c"
for rl in "$generated"/*.rl; do
    ragel -C -L -T0 "$rl" -o "$out/$(basename "$rl" .rl).c"
done
for c in src/runtime/*.c src/bc26/sockets.c "$out"/*.c "$generated"/*.c; do
    name=$(basename "$c" .c)
    case $name in
        *_module | *_command | *_examples | *_manual) continue ;; # the module's side, tests, tools
        *_head) [ "$(dirname "$c")" = "$out" ] || continue ;;
    esac
    # shellcheck disable=SC2086 # a command and its words
    $cc -ffunction-sections -fdata-sections -c "$c" -o "$out/$name.o"
done

printf '%-18s %7s %7s %7s\n' part flash data bss
arm-none-eabi-size "$out"/*.o | awk 'NR > 1 {
    n = split($6, path, "/"); sub(/\.o$/, "", path[n])
    printf "%-18s %7d %7d %7d\n", path[n], $1, $2, $3
    flash += $1; data += $2; bss += $3 }
    END { printf "%-18s %7d %7d %7d\n", "total", flash, data, bss
          if (data + bss > 0) { print "writable globals!"; exit 1 } }'

arm-none-eabi-ld -r "$out"/*.o -o "$out/all.o"
foreign=$(arm-none-eabi-nm -u "$out/all.o" | awk '{print $2}' |
    grep -vxE 'mem(cpy|move|set|cmp|chr)|__aeabi_.*|__gnu_thumb1_case_.*' || true)
if [ -n "$foreign" ]; then
    echo "needs from outside: $foreign" >&2
    exit 1
fi
echo "needs from outside: $(arm-none-eabi-nm -u "$out/all.o" | awk '{print $2}' | tr '\n' ' ')"
