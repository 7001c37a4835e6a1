#!/usr/bin/env bash
# Everything there is to run on a machine with an NVIDIA or AMD GPU, in one command:
#
#     bash benchmarks/gpu.sh [RESULTS.md]
#
# It installs and downloads nothing. What has to be there: Python 3.11 or later with arraytorch's
# requirements, CuPy for the driver, pytest, hypothesis, and scikit-learn, matplotlib and tqdm for the
# examples; PyTorch for CUDA, if times are to be compared. PYTHON names another interpreter than python3.
# Figures go to a file in Markdown, all output to a folder beside it. Each part has a time limit, and none
# ends the others.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=$(realpath -m "${1:-gpu-results.md}")
logs=${results%.md}-logs
python=${PYTHON:-python3}
limit=${LIMIT:-900} # seconds for each part
mkdir -p "$logs"
cd "$top"
export PYTHONPATH=$top MPLBACKEND=agg

say() { printf '%s\n' "$@" | tee -a "$results"; }

part() { # NAME LINES COMMAND...: runs a part, and keeps the last lines of what it says
  local name=$1 lines=$2 log status start=$SECONDS
  shift 2
  log=$logs/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9' '_').txt
  timeout "$limit" "$@" >"$log" 2>&1
  status=$?
  say "" "## $name" ""
  say "\`$*\`: exit status $status, $((SECONDS - start)) s" ""
  say '```text'
  tail -n "$lines" "$log" | cut -c -200 | tee -a "$results"
  say '```'
}

printf '# arraytorch on a GPU\n\n' >"$results"
say "$(date -u +%Y-%m-%d), $(git rev-parse --short HEAD 2>/dev/null || echo 'no git'), $(uname -sm)"
say '```text'
{ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader ||
  rocm-smi --showproductname; } 2>/dev/null | tee -a "$results"
"$python" -c 'import arraytorch as torch; print(torch.backends.show())' 2>&1 | tee -a "$results"
say '```'

# TF32 rounds the factors of products to 10 bits: numbers are compared without it.
part "CuPy: names, parameters, kernels" 3 "$python" -m pytest -q tests/test_cupy_conformance.py tests/test_cudnn.py
part "Sample table on the device" 40 env NVIDIA_TF32_OVERRIDE=0 \
  "$python" -m pytest -q --tb=line --device cuda tests/ops/test_parity.py
part "Sample table, each operation waited for" 12 env NVIDIA_TF32_OVERRIDE=0 CUDA_LAUNCH_BLOCKING=1 \
  "$python" -m pytest -q --tb=line --device cuda tests/ops/test_parity.py
part "Convolutions without cuDNN" 12 env NVIDIA_TF32_OVERRIDE=0 USE_CUDNN=0 \
  "$python" -m pytest -q --tb=line --device cuda tests/ops/test_parity.py -k "conv or unfold or fold"
part "Waiting for the device in a training step" 4 "$python" benchmarks/waits.py
part "Digits" 6 "$python" examples/digits.py --device cuda --out "$logs/digits.png"
part "GPT" 12 "$python" examples/gpt.py --device cuda --out "$logs/gpt.png" --letters 200 --width 256 --depth 6 --batch 32 --length 128
part "VAE" 2 "$python" examples/vae.py --device cuda --out "$logs/vae.png"
part "ResNet-18" 4 "$python" examples/resnet.py --device cuda --out "$logs/resnet.png" --steps 300 --batch 128 --size 32 --width 64
for group in overhead autograd throughput training; do
  part "Against PyTorch: $group" 40 "$python" benchmarks/compare.py --device cuda --group "$group" \
    --json "$logs/$group.json"
done
echo "figures: $results; output: $logs"
