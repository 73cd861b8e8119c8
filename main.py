from dify_plugin import DifyPluginEnv, Plugin

from dify.ending import stop_work_on_sigterm

# Seconds of silence after which the SDK's HTTP server ends an answer as if it were complete: more
# than a call may take.
_SILENCE = 100_000

if __name__ == "__main__":
    stop_work_on_sigterm()
    Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=_SILENCE)).run()
