"""Weights as a safetensors file: 8 bytes of header length, a JSON header, then the tensors' bytes. Numpy only."""

import json
import os

import numpy as np

DTYPES = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}


def write(path, tensors, metadata):
    """tensors: name -> array, written in that order as 32-bit floats; metadata: name -> text. The file appears only when complete."""
    header, blocks, offset = {"__metadata__": {k: str(v) for k, v in metadata.items()}}, [], 0
    for name, values in tensors.items():
        block = np.ascontiguousarray(values, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(values)), "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        blocks.append(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8, as the format's own writer has it
    pending = path + ".part"
    with open(pending, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(blocks)
    os.replace(pending, path)


def read(path):
    """(tensors, metadata) of a file."""
    with open(path, "rb") as file:
        whole = file.read()
    length = int.from_bytes(whole[:8], "little")
    if len(whole) < 8 + length:
        raise ValueError(f"{path}: no safetensors file, or cut short")
    header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if end > len(data):
            raise ValueError(f"{path}: {name} lies beyond the file's end")
        tensors[name] = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    return tensors, metadata
