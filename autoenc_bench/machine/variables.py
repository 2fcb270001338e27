"""Environment variables that change how fast the same program is, or how much it does (docs/context.md has the table).

A prefix is broad if its library uses it for tuning alone. ``TF_`` is not, because Terraform keeps secrets in variables
with that prefix; nor are the prefixes of NVIDIA and AMD, which containers and compilers use as well.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from autoenc_bench.exceptions import InvalidInputError

RECORDED = {  # regular expressions in which white space does not count
    "Keras": r"KERAS_\w+",
    "TensorFlow": r"""
        TF_(AUTO_MIXED_PRECISION|AUTOTUNE|CONV2D|CPU|CUBLAS|CUDA|CUDNN|CUFFT|DATA_EXPERIMENT|DEBUG_CUDNN|DETERMINISTIC
            |DEVICE_MIN|DISABLE|EAGER|ENABLE|ENABLED|FORCE|FP16|FUNCTION|GPU|GRAPH|JIT|JITRT|MATMUL|MIN|MKL|NUM|ONEDNN
            |OPTIONALS|OVERRIDE|PER_DEVICE|PFLR|RUN_HANDLER|SET_ONEDNN|SYNC|USE|XLA)_\w+
        |TF_CPP_(MAX_VLOG_LEVEL|VMODULE)
        |TENSORFLOW_USE_CUSTOM\w+
    """,
    "XLA and JAX": r"(XLA|JAX|PJRT)_\w+|NPROC|LIBTPU_INIT_ARGS",
    "PyTorch": r"""
        (ATEN|TORCH|TORCHINDUCTOR|TORCHDYNAMO|INDUCTOR|PYTORCH|TRITON)_\w+
        |THP_MEM_ALLOC_ENABLE|LRU_CACHE_CAPACITY|DISABLE_(ADDMM_CUDA_LT|LLVM_OPT|PTXAS_OPT|MMA_V3)
    """,
    "NumPy, SciPy, scikit-learn, numba": r"(NPY|NUMPY|SCIPY|SKLEARN|JOBLIB|LOKY|NUMBA)_\w+",
    "BLAS": r"(OPENBLAS|GOTO|GOTOBLAS|BLIS|MKL|VECLIB)_\w+",
    "oneDNN": r"(ONEDNN|DNNL|_ONEDNN|_DNNL|ZENDNN|ZENDNNL)_\w+",
    "OpenMP and TBB": r"(OMP|GOMP|KMP|LIBOMP|TBB)_\w+",
    "CUDA": r"""
        CUDA_(VISIBLE_DEVICES|DEVICE_\w+|MANAGED_\w+|CACHE_\w+|(FORCE|DISABLE|ENABLE)_\w+|LAUNCH_BLOCKING|SCALE_\w+
              |GRAPHS_\w+|PREFER_\w+|AUTO_BOOST|MODULE_\w+|BINARY_LOADER_\w+|INJECTION64_PATH
              |MPS_(ACTIVE_THREAD|CLIENT|PINNED)\w*)
        |NVIDIA_TF32_OVERRIDE|(CUBLAS|CUBLASLT|CUDNN|NCCL)_\w+
    """,
    "ROCm": r"""
        (HSA|ROCR|ROC|HIP|HIPRTC|HIPBLASLT|ROCBLAS|TENSILE|MIOPEN|RCCL|AMDGCN|DEBUG_CLR|DEBUG_HIP)_\w+
        |AMD_(CPU_AFFINITY|DIRECT_DISPATCH|GPU|LOG|OCL|OPT_FLUSH|SERIALIZE|THREAD_TRACE)\w*
        |GPU_(BLIT|CP_DMA|DEVICE_ORDINAL|ENABLE|FLUSH|FORCE|MAX|PINNED|RESOURCE|SINGLE|STAGING|STREAMOPS|USE|WAVES)\w*
    """,
    "glibc and allocators": r"""
        GLIBC_TUNABLES|MALLOC_\w+|(_RJEM_|JE_)MALLOC_CONF|TCMALLOC_\w+|(CPU|HEAP)PROFILE\w*|(?i:MIMALLOC)_\w+|Malloc\w+
        |LD_(PRELOAD|AUDIT|BIND_NOW|BIND_NOT|DEBUG|DYNAMIC_WEAK|HWCAP_MASK|PROFILE)|DYLD_INSERT_LIBRARIES
    """,
    "Python": r"""
        PYTHON(ASYNCIODEBUG|DEVMODE|DUMPREFS|HASHSEED|MALLOC|MALLOCSTATS|OPTIMIZE|PERFSUPPORT|STATS|TRACEMALLOC)
        |PYTHON_(CPU_COUNT|GIL|JIT|PERF_JIT_SUPPORT|THREAD_INHERIT_CONTEXT|TLBC)
    """,
}
_RECORDED = re.compile("|".join(RECORDED.values()), re.VERBOSE)
_NOT_RECORDED = re.compile(
    r"""
    # secrets
    \w*(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|_REDIS_)\w*
    # hosts and devices of a network
    |(?!\w+_(ON|PER|BETWEEN)_HOSTS?$)
     \w+_(HOST|HOSTS|HOSTNAMES?|HOSTID|ADDR|ADDRESS|ADDRESSES|IFNAME|HCA|UUID|URL|URI|PORT)
    |NCCL_(COMM_ID|IB_ADDR_RANGE|IB_PKEY|SOCKET_MAGIC|MNNVL_CLIQUE_ID|CONF_FILE)
    # places in a distributed run
    |JAX_(COORDINATOR_\w+|PROCESS_ID|PARTITION_INDEX|SLICE_INDEX|LOCAL_DEVICE_IDS)|XLA_DISTRIBUTED_\w+
    # versions and places of files
    |(?!HSA_OVERRIDE_)\w+_(VERSION|HOME|ROOT|ROOT_DIR|INCLUDE_DIR|ARCH_LIST)|TORCH_EXTENSIONS_DIR|PYTORCH_BUILD_\w+
    |HIP_(PATH|PLATFORM|COMPILER|RUNTIME|\w*CLANG_PATH|DEVICE_LIB_PATH)
    |(ROCR|HIP|MKL|CUDNN|NCCL|TBB)_(LIB|LIBRARY)(_DIR|_PATH)?|TF_(DISABLE_PLUGIN_TLS|CUDA_(PATHS|COMPUTE_CAPABILITIES))
    # the backend, which is a fact of its own, and what Keras, joblib and threadpoolctl set themselves
    |KERAS_(BACKEND|HOME|DISTRIBUTION_\w+)|KMP_(DUPLICATE_LIB_OK|INIT_AT_FORK)|(OPENBLAS|GOTOBLAS)_MAIN_FREE
    # printing
    |KMP_(WARNINGS|SETTINGS)|OMP_DISPLAY_\w+|OMP_AFFINITY_FORMAT
    |JAX_(LOG_COMPILES|LOGGING_LEVEL|DEBUG_LOG_MODULES|EXPLAIN_CACHE_MISSES|TRACEBACK_\w+|PPRINT_USE_COLOR)
    """,
    re.VERBOSE,
)

LESS_WORK = {"KERAS_MAX_EPOCHS": "training", "KERAS_MAX_STEPS_PER_EPOCH": "epoch"}  # what a variable ends early
# Flags with which a program may be loaded instead of compiled. A record does not show which happened.
CACHE_FLAGS = {
    "TF_XLA_FLAGS": "tf_xla_persistent_cache_directory",
    "XLA_FLAGS": "xla_gpu_per_fusion_autotune_cache_dir",
}
LIBRARIES = ("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "HSA_TOOLS_LIB", "CUDA_INJECTION64_PATH")
DEVICES = re.compile(r"\w*VISIBLE_DEVICES|GPU_DEVICE_ORDINAL")  # these may hold serial numbers
PATH = re.compile(r"(?<![\w.])(~|[A-Za-z]:)?[/\\][^\s,;:]*")


def tuning(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tune libraries, without paths, and with a number in place of devices' names."""
    names = [name for name in sorted(environment) if _RECORDED.fullmatch(name) and not _NOT_RECORDED.fullmatch(name)]
    return {name: _value(name, environment[name]) for name in names}


def _value(name: str, text: str) -> str:
    if DEVICES.fullmatch(name):
        devices = [part for part in re.split(r"[,;]", text) if part.strip() not in ("", "-1")]
        return f"{len(devices)} named"
    if name in LIBRARIES:
        return " ".join(Path(part).name for part in re.split(r"[\s:]+", text))
    return PATH.sub("<path>", _flags(name, text))


def _flags(name: str, text: str) -> str:
    """Return the flags in a variable of XLA's, or in the file that it names; the text of any other variable."""
    if name in CACHE_FLAGS and text and not text.lstrip().startswith("-") and Path(text).is_file():
        return " ".join(Path(text).read_text(errors="replace").split())
    return text


def refuse(environment: Mapping[str, str]) -> None:
    """Raise InvalidInputError for variables with which a run would do other work than its record says."""
    for name, part in LESS_WORK.items():
        if environment.get(name):
            effect = f"ends each {part} early, so row counts and times would be wrong for the case"
            raise InvalidInputError(f"the environment variable {name}={environment[name]} {effect}; unset it")
    for name, flag in CACHE_FLAGS.items():
        if flag in _flags(name, environment.get(name, "")):
            effect = "stores compiled programs on disk, so first_call would measure loading instead of compiling"
            raise InvalidInputError(f"the environment variable {name}: --{flag} {effect}; remove this flag")
