#!/usr/bin/env bash
# Train on several GPUs of one or more nodes.
#   tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
# Several nodes: set NNODES, NODE_RANK, MASTER_ADDR (and PORT) on each.
# MAX_RESTARTS=3 starts all processes again when one dies; the run goes on from its newest checkpoint.
# MOCHI_MM_JOB names the job, the same on all nodes, another for every job: by it a restart knows
# what this job wrote. One node makes up a name; of several, set it, else SLURM_JOB_ID is taken, or
# where they meet (MASTER_ADDR:PORT).
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 CONFIG GPUS [options of tools/train.py]" >&2
  exit 2
fi
config=$1 gpus=$2
shift 2
nodes=${NNODES:-1} address=${MASTER_ADDR:-127.0.0.1} port=${PORT:-29500}
if [ "$nodes" = 1 ]; then
  made_up=$(hostname).$$.$(date +%s)
else
  made_up=$address:$port
fi
exec torchrun \
  --nnodes="$nodes" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$gpus" \
  --master_addr="$address" --master_port="$port" \
  --rdzv-id="${MOCHI_MM_JOB:-${SLURM_JOB_ID:-$made_up}}" \
  --max-restarts="${MAX_RESTARTS:-0}" \
  "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
