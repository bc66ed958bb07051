"""What the program can do: one small file a task, and its line in one of the two registries.

TASKS have a tab and a command; GUIDED follow a clip, and are run from Python.
"""

from tasks.canny import CannySettings
from tasks.depth import DepthSettings
from tasks.pix2pix_video import Pix2PixVideoSettings
from tasks.pose import PoseSettings
from tasks.text_to_video import TextToVideoSettings

TASKS = {TextToVideoSettings.task: TextToVideoSettings}
GUIDED = {kind.task: kind for kind in (CannySettings, PoseSettings, DepthSettings, Pix2PixVideoSettings)}
