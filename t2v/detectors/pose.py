"""Skeletons of the people in a clip: RT-DETR finds them, ViTPose (arXiv 2204.12484) their joints."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from t2v.detectors.loading import DetectorError, Wanted, load_network
from t2v.detectors.skeleton import FROM_COCO, People, coco_to_openpose, draw_skeletons

POSE = "usyd-community/vitpose-base-simple"
PERSON = "PekingU/rtdetr_r50vd_coco_o365"
INSTEAD = "ready skeleton clips (control_ready) and the examples"
SLICE = 4  # frames at once in the detector of people
CROPS = 16  # people at once in ViTPose
MAX_PEOPLE = 20  # in a frame: the surest
MIN_PERSON_SCORE = 0.3
MIN_JOINT_SCORE = 0.3
MARGIN = 1.25  # of a person's box, as ViTPose was trained
COCO_JOINTS = len(FROM_COCO) - 1


@dataclass(eq=False)
class PoseDetector:
    """Frames, uint8 RGB (f, h, w, 3), to OpenPose skeletons of that shape and type; any number of people.

    weights: ViTPose, person_weights: a detector of objects that knows "person"; each a hub id or a folder.
    They are loaded at the first call, which raises DetectorError where they are not to be had.
    """

    weights: str = POSE
    person_weights: str = PERSON
    device: str = "cpu"
    _loaded: tuple[Any, ...] = field(default=(), init=False, repr=False)

    def load(self) -> None:
        """Load the weights now; DetectorError where they are not to be had."""
        if not self._loaded:
            pose = Wanted(self.weights, "VitPoseForPoseEstimation", "pose", INSTEAD)
            person = Wanted(self.person_weights, "AutoModelForObjectDetection", "person", INSTEAD)
            loaded = (*load_network(person, self.device), *load_network(pose, self.device))
            self._check(loaded[0], loaded[2])
            self._loaded = loaded

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        self.load()
        height, width = frames.shape[1:3]
        control = np.empty_like(frames)
        for start in range(0, len(frames), SLICE):
            several = frames[start : start + SLICE]
            for index, boxes in enumerate(self.find_people(several)):
                people = coco_to_openpose(self.find_joints(several[index], boxes))
                control[start + index] = draw_skeletons(people, height, width, MIN_JOINT_SCORE)
        return control

    def find_people(self, frames: np.ndarray) -> list[np.ndarray]:
        """For each frame the boxes of its people, float (p, 4): left, top, right, bottom in pixels."""
        import torch

        network, processor = self._loaded[:2]
        inputs = processor(images=list(frames), input_data_format="channels_last", return_tensors="pt")
        pixels = inputs["pixel_values"].to(self.device)
        with torch.inference_mode():
            outputs = network(pixels)
        found = processor.post_process_object_detection(
            outputs, threshold=MIN_PERSON_SCORE, target_sizes=[frames.shape[1:3]] * len(frames)
        )
        person = _person_label(network)
        boxes = []
        for one in found:
            surest = one["scores"].argsort(descending=True)
            surest = surest[one["labels"][surest] == person][:MAX_PEOPLE]
            boxes.append(_sound(one["boxes"][surest].float().cpu().numpy(), frames.shape[1:3]))
        return boxes

    def find_joints(self, frame: np.ndarray, boxes: np.ndarray) -> People:
        """The people of one frame, (h, w, 3), in COCO's order: one for each of the ``boxes`` (p, 4)."""
        import torch

        network, processor = self._loaded[2:]
        height, width = network.config.backbone_config.image_size
        joints, scores = [np.zeros((0, COCO_JOINTS, 2))], [np.zeros((0, COCO_JOINTS))]
        for start in range(0, len(boxes), CROPS):
            areas = _areas(boxes[start : start + CROPS], width / height)
            crops = np.stack([_crop(frame, area, width, height) for area in areas]) / np.float32(255)
            crops = (crops - np.float32(processor.image_mean)) / np.float32(processor.image_std)
            pixels = torch.from_numpy(crops.transpose(0, 3, 1, 2).copy()).to(self.device)
            with torch.inference_mode():
                heatmaps = network(pixels).heatmaps.float().cpu().numpy()
            cells, surety = peaks(heatmaps)
            last = np.array(heatmaps.shape[:1:-1]) - 1  # the middles of first and last cell span the area
            joints.append(areas[:, None, :2] + cells / last * areas[:, None, 2:])
            scores.append(surety)
        return People(np.concatenate(joints), np.concatenate(scores))

    def _check(self, person_network: Any, pose_network: Any) -> None:
        if _person_label(person_network) is None:
            raise DetectorError(
                f"the person detector's weights ({self.person_weights}) know no person; "
                f"{INSTEAD} work without them."
            )
        config = pose_network.config
        if config.num_labels != COCO_JOINTS or config.backbone_config.num_experts > 1:
            raise DetectorError(
                f"the pose detector's weights ({self.weights}) are not for COCO's {COCO_JOINTS} joints; "
                f"{INSTEAD} work without them."
            )


def _person_label(network: Any) -> int | None:
    names = network.config.id2label.items()
    return next((int(label) for label, name in names if str(name).lower() == "person"), None)


def _sound(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The boxes cut to the picture, without those of which nothing is left."""
    height, width = size
    boxes = np.clip(np.nan_to_num(boxes), 0, [width, height, width, height])
    return boxes[(boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)]


def _areas(boxes: np.ndarray, aspect: float) -> np.ndarray:
    """Boxes (p, 4) of corners to areas (p, 4): left, top, width, height, of one aspect, with a margin."""
    middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    widths = np.maximum(sizes[:, 0], sizes[:, 1] * aspect) * MARGIN
    sizes = np.stack([widths, widths / aspect], axis=1)
    return np.concatenate([middles - sizes / 2, sizes], axis=1)


def _crop(frame: np.ndarray, area: np.ndarray, width: int, height: int) -> np.ndarray:
    """An area of a frame as a picture; the middles of its outer pixels lie on the area's edges.

    That is the mapping ViTPose was trained with (unbiased data processing, arXiv 1911.07524).
    """
    scale = np.array([width - 1, height - 1]) / area[2:]
    matrix = np.array([[scale[0], 0, -scale[0] * area[0]], [0, scale[1], -scale[1] * area[1]]])
    return cv2.warpAffine(np.ascontiguousarray(frame), matrix, (width, height), flags=cv2.INTER_LINEAR)


def peaks(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where heatmaps (p, n, h, w) are highest, x and y in cells (p, n, 2), and how high (p, n).

    Between cells the peak is that of a bell through the neighbours (DARK, arXiv 1910.06278).
    """
    people, joints, height, width = heatmaps.shape
    flat = heatmaps.reshape(people * joints, height, width)
    cells = np.empty((len(flat), 2))
    for index, heat in enumerate(flat):
        y, x = np.unravel_index(np.argmax(heat), heat.shape)
        cells[index] = np.clip(np.array([x, y]) + _beyond(heat, int(x), int(y)), 0, [width - 1, height - 1])
    return cells.reshape(people, joints, 2), flat.max(axis=(1, 2)).reshape(people, joints)


def _beyond(heat: np.ndarray, x: int, y: int) -> np.ndarray:
    """From the highest cell to the peak of its logarithm's parabola: one step of Newton's, at most a cell."""
    smooth = cv2.GaussianBlur(heat, (11, 11), 0.8, borderType=cv2.BORDER_REFLECT)
    log = np.pad(np.log(np.clip(smooth, 0.001, 50)), 1, mode="edge")
    near = log[y : y + 3, x : x + 3].astype(float)  # the cell is in the middle
    slope = np.array([near[1, 2] - near[1, 0], near[2, 1] - near[0, 1]]) / 2
    xx = near[1, 2] - 2 * near[1, 1] + near[1, 0]
    yy = near[2, 1] - 2 * near[1, 1] + near[0, 1]
    xy = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    if xx >= 0 or yy >= 0 or xx * yy - xy * xy <= 1e-9:
        return np.zeros(2)  # no hill here, as at an edge or on a plain
    return np.clip(-np.linalg.solve([[xx, xy], [xy, yy]], slope), -1, 1)
