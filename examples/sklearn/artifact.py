"""Turns a fitted scikit-learn model into a model.tar.gz. Nothing here is about one model: use it for yours."""

import gzip
import io
import tarfile

from onnx.helper import make_opsetid
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier

# Old enough for any onnxruntime of the last years, new enough for all that skl2onnx emits for these models.
OPSETS = {"": 17, "ai.onnx.ml": 3}
SERVING_PROPERTIES = b"engine=OnnxRuntime\n"


def export(model, features, name):
    """The model as ONNX bytes: `features` (float32, any number of rows) in; `prediction`, or `label` and
    `probabilities`, out."""
    # With ZipMap a classifier answers a list of maps, which onnxruntime-node cannot read; without, a plain tensor.
    options = {id(model): {"zipmap": False}} if is_classifier(model) else None
    inputs = [("features", FloatTensorType([None, features]))]
    exported = to_onnx(model, initial_types=inputs, name=name, target_opset=OPSETS, options=options)
    if not is_classifier(model):
        rename_output(exported.graph, exported.graph.output[0].name, "prediction")
    name_opsets_once(exported)
    return exported.SerializeToString(deterministic=True)


def rename_output(graph, old, new):
    """skl2onnx calls what a regression predicts `variable`; its own way to rename adds a node and lowers the opset."""
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    for output in graph.output:
        output.name = new if output.name == old else output.name


def name_opsets_once(exported):
    """skl2onnx lists a domain twice where two converters asked for it."""
    versions = {opset.domain: opset.version for opset in exported.opset_import}
    del exported.opset_import[:]
    exported.opset_import.extend(make_opsetid(*opset) for opset in sorted(versions.items()))


def pack(exported):
    """A model.tar.gz whose bytes depend on its contents alone: no clock, no user, entries sorted."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in (("model.onnx", exported), ("serving.properties", SERVING_PROPERTIES)):
            entry = tarfile.TarInfo(name)  # mtime, uid and gid are 0, names of user and group empty
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(archive.getvalue(), mtime=0)
