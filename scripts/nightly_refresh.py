"""The nightly refresh for cron: one run, an exit code, one JSON line of results on standard output.

    17 2 * * *  python scripts/nightly_refresh.py --workspace DIR --metrics DIR/kgfraud.prom

The log goes to standard error, one JSON object a line; the metrics are a Prometheus text file.
"""

from kg.cli.nightly import nightly

if __name__ == "__main__":
    nightly()
