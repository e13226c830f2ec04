#!/bin/sh
# What keeps a spec, the sources made of it and its users in step, run before a change is merged:
#   sh atspec.sh BASE       BASE is the branch that it goes to; what changes since is in changelog.md
set -eu
spec=modem.yaml             # as the repository has it
generated=generated         # where its sources are committed
options=--host              # that they were generated with: --firmware NAME, --only QIOPEN,QIRD, ...
accepted=accepted.yaml      # changes that are all right, with why; `accepted: []` at first
atspec="python3 atspec/gen/atspec"

$atspec check "$spec"
# shellcheck disable=SC2086 # options are words
$atspec build "$spec" -o "$generated" $options --check
base=$(git merge-base HEAD "${1:-origin/main}")
if git cat-file -e "HEAD:$spec" && ! git cat-file -e "$base:$spec"; then
    echo "$spec is new: there is nothing to compare it with"
    exit 0
fi 2>/dev/null
status=0
$atspec diff "$base:$spec" "$spec" --format markdown --fail-on breaking --accepted "$accepted" >changelog.md || status=$?
cat changelog.md
exit $status
