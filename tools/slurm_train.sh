#!/usr/bin/env bash
# Train under Slurm, one task a GPU.
#   [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=8] [SRUN_ARGS=...] \
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options of tools/train.py]
# Two minutes before the time limit (SIGNAL_SECONDS) Slurm sends SIGUSR1, at preemption SIGTERM: the
# run saves and ends with code 75. Inside a batch job that code has the job requeued; outside of one,
# srun is called again. Either way the run goes on from its newest checkpoint.
set -uo pipefail
if [ $# -lt 4 ]; then
  echo "usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR [options of tools/train.py]" >&2
  exit 2
fi
partition=$1 job=$2 config=$3 work_dir=$4
shift 4
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
preempted=75
# Outside of a batch job each srun is a job of its own; this name holds for all of them.
export MOCHI_MM_JOB=${MOCHI_MM_JOB:-${SLURM_JOB_ID:-$(hostname).$$.$(date +%s)}}
while :; do
  # shellcheck disable=SC2086  # SRUN_ARGS is a list of words
  srun --partition="$partition" --job-name="$job" --gres="gpu:$per_node" \
    --ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-8}" \
    --signal="USR1@${SIGNAL_SECONDS:-120}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    python -u "$(dirname "$0")/train.py" "$config" --work-dir="$work_dir" --launcher slurm "$@"
  code=$?
  [ "$code" -eq "$preempted" ] || exit "$code"
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    echo "preempted: requeueing job $SLURM_JOB_ID" >&2
    exec scontrol requeue "$SLURM_JOB_ID"
  fi
  echo 'preempted: starting again' >&2
  export SLURM_RESTART_COUNT=$((${SLURM_RESTART_COUNT:-0} + 1))
done
