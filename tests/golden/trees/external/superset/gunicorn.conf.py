"""The web server in front of Superset: one process, since each takes a quarter of a gibibyte."""

bind = "0.0.0.0:8088"
workers = 1
worker_class = "gthread"
threads = 8
timeout = 120
# A browser that asks over a connection just closed shows a chart as "Network error"; an idle one occupies no thread.
keepalive = 75
# A process that has served for long begins anew, and gives back what it has grown by.
max_requests = 5000
max_requests_jitter = 500
# In memory: on a busy disk a worker would be taken for dead.
worker_tmp_dir = "/dev/shm"
# The addresses of charts that are being edited are long.
limit_request_line = 0
limit_request_field_size = 0
errorlog = "-"
accesslog = None
