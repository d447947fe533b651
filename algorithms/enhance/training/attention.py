"""Attention in C (attention.c), compiled on first use; where there is no compiler, PyTorch's own, several times slower on small crops."""

import ctypes
import os
import subprocess
import sys
import tempfile

import torch

WIDTH = 8


def _build():
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attention.c")
    folder = tempfile.mkdtemp(prefix="nfsar-attention-")
    path = os.path.join(folder, "attention.so")
    try:
        subprocess.run(["gcc", "-std=gnu17", "-O3", "-march=native", "-ffast-math", "-fopenmp", "-fPIC", "-shared", source, "-o", path,
                        "-lm"], check=True, capture_output=True, text=True)
        return ctypes.CDLL(path)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"attention.py: without attention.c, which cannot be compiled here ({error})", file=sys.stderr)
        return None
    finally:
        if os.path.exists(path):
            os.remove(path)  # it stays mapped
        os.rmdir(folder)


class _Attention(torch.autograd.Function):
    library = None

    @staticmethod
    def _call(name, arrays, shape, scale):
        groups, tokens, heads = shape
        pointers = [ctypes.c_void_p(a.data_ptr()) for a in arrays]
        sizes = [ctypes.c_size_t(n) for n in (groups, tokens, heads)]
        if getattr(_Attention.library, name)(*pointers, *sizes, ctypes.c_float(scale), ctypes.c_int(torch.get_num_threads())):
            raise MemoryError(name)

    @staticmethod
    def forward(ctx, qkv, heads, scale):
        qkv = qkv.contiguous()
        out = torch.empty(*qkv.shape[:-1], heads * WIDTH)
        ctx.sizes = qkv.shape[0] * qkv.shape[1], qkv.shape[2], heads
        ctx.scale = scale
        ctx.save_for_backward(qkv)
        _Attention._call("attention_forward", (qkv, out), ctx.sizes, scale)
        return out

    @staticmethod
    def backward(ctx, gradient):
        (qkv,) = ctx.saved_tensors
        result = torch.empty_like(qkv)
        _Attention._call("attention_backward", (qkv, gradient.contiguous(), result), ctx.sizes, ctx.scale)
        return result, None, None


def use():
    """Take the C code from here on. Returns whether that works."""
    if _Attention.library is None:
        _Attention.library = _build()
    return _Attention.library is not None


def available(qkv, head_dim):
    return _Attention.library is not None and head_dim == WIDTH and qkv.dtype == torch.float32 and not qkv.is_cuda


def attend(qkv, heads, scale):
    """qkv [batch][groups][tokens][3 heads 8] -> [batch][groups][tokens][heads 8]."""
    return _Attention.apply(qkv, heads, scale)
