"""`python -m power_bert_tf` is `power-bert`."""

import sys

from power_bert_tf.cli import main

if __name__ == "__main__":
    sys.exit(main())
