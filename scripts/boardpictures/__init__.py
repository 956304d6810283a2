"""Pictures of boards: their queries asked of a Prometheus over a time, drawn as Grafana would.

``PYTHONPATH=scripts .venv/bin/python -m boardpictures --help``
"""
