#!/usr/bin/env bash
# Warns of commit subjects that are longer than 72 characters. Older ones, and a clone without them, are left alone.
cd "$(dirname "$0")/.." || exit 0
base=d25d015
git rev-parse --quiet --verify "$base^{commit}" >/dev/null || exit 0
git log --no-merges --format='%h %s' "$base..HEAD" | while read -r commit subject; do
  [ "${#subject}" -le 72 ] || echo "warning: the subject of $commit has ${#subject} characters: $subject"
done
exit 0
