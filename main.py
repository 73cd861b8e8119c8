from dify_plugin import DifyPluginEnv, Plugin

from dify.ending import stop_work_on_sigterm

if __name__ == "__main__":
    stop_work_on_sigterm()
    Plugin(DifyPluginEnv()).run()
