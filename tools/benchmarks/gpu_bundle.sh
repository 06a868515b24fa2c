#!/usr/bin/env bash
# Gather what tools/benchmarks/gpu.py needs on a machine without a package registry.
#
#   tools/benchmarks/gpu_bundle.sh CIFAR10 OUT
#
# CIFAR10 holds the folders train and val of image files. OUT, a new folder, gets two parts, each
# under 60 MB:
#   part_1/wheels       pure-Python wheels that a machine with torch, torchvision, NumPy, OpenCV,
#                       scikit-learn, matplotlib, Jinja2, safetensors and PyYAML may lack
#   part_1/cifar10/train    the pack of the training images, the files as they are
#   part_2/cifar10/val      that of the test images
# There, from the root of the project, with both parts copied into BUNDLE:
#   python -m pip install --no-index --no-deps --target SITE BUNDLE/wheels/*.whl
#   PYTHONPATH=SITE python tools/benchmarks/gpu.py --data BUNDLE/cifar10 --out OUT
# PYTHON names the interpreter, WHEELS a folder to take wheels from instead of a registry.
set -euo pipefail

PYTHON=${PYTHON:-python}
LIMIT=$((60 * 1000 * 1000))
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fail() {
    echo "error: $1" >&2
    exit 2
}

[ $# -eq 2 ] || fail "expected CIFAR10 and OUT, got $# words; tools/benchmarks/gpu_bundle.sh CIFAR10 OUT"
cifar=$1 out=$2
for split in train val; do
    [ -d "$cifar/$split" ] || fail "$cifar/$split is no folder; expected CIFAR-10 as image files in class folders."
done
[ ! -e "$out" ] || fail "$out exists; expected a new folder."

mkdir -p "$out.unfinished/part_1/wheels" "$out.unfinished/part_2"
trap 'rm -rf "$out.unfinished"' EXIT
# Of the pinned set: mmengine and what it imports.
pins=()
for name in onedl-mmengine addict termcolor yapf platformdirs rich markdown-it-py mdurl pygments; do
    pins+=("$(grep -iE "^$name==" "$ROOT/requirements/constraints.txt" | head -n 1 | cut -d ' ' -f 1 || true)")
    [ -n "${pins[-1]}" ] || pins[-1]=$name
done
source=(${WHEELS:+--no-index --find-links "$WHEELS"})
"$PYTHON" -m pip download -q --no-deps --only-binary=:all: "${source[@]}" -d "$out.unfinished/part_1/wheels" "${pins[@]}"
for wheel in "$out.unfinished/part_1/wheels"/*; do
    case $wheel in
    *-none-any.whl) ;;
    *) fail "${wheel##*/} is not pure Python; it would not run on every machine." ;;
    esac
done
part=1
for split in train val; do
    "$PYTHON" "$ROOT/tools/dataset/pack.py" "$cifar/$split" "$out.unfinished/part_$part/cifar10/$split" --as-they-are
    part=2
done
for part in 1 2; do
    bytes=$(du -sb "$out.unfinished/part_$part" | cut -f 1)
    [ "$bytes" -lt "$LIMIT" ] || fail "part $part has $bytes bytes; expected fewer than $LIMIT."
    echo "part_$part: $((bytes / 1000)) kB"
done
mv "$out.unfinished" "$out"
