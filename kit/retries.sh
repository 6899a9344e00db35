#!/bin/bash
# Prints what urllib3's Retry decides for many requests: retries.sh COUNT SEED (see py/retries.py)
. "$(dirname "$0")/lib.sh"
python "$KIT_DIR/py/retries.py" "$@"
