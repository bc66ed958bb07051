"""What the program can do: one small file a task, and TASKS, the only registry of them."""

from tasks.text_to_video import TextToVideoSettings

TASKS = {TextToVideoSettings.task: TextToVideoSettings}
