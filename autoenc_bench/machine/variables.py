"""Environment variables that change how fast the same program is, or how much it does (docs/context.md has the table).

Prefixes are broad where a library uses one for tuning alone. TensorFlow's ``TF_`` is shared with Terraform, which keeps
secrets there, so it goes by the next word; so do NVIDIA's and AMD's, which containers and compilers share.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from autoenc_bench.exceptions import InvalidInputError

RECORDED = {
    "Keras": r"KERAS_\w+",
    "TensorFlow": (
        r"TF_(AUTO_MIXED_PRECISION|AUTOTUNE|CONV2D|CPU|CUBLAS|CUDA|CUDNN|CUFFT|DATA_EXPERIMENT|DEBUG_CUDNN|DETERMINISTIC"
        r"|DEVICE_MIN|DISABLE|EAGER|ENABLE|ENABLED|FORCE|FP16|FUNCTION|GPU|GRAPH|JIT|JITRT|MATMUL|MIN|MKL|NUM|ONEDNN|OPTIONALS"
        r"|OVERRIDE|PER_DEVICE|PFLR|RUN_HANDLER|SET_ONEDNN|SYNC|USE|XLA)_\w+"
        r"|TF_CPP_(MAX_VLOG_LEVEL|VMODULE)|TENSORFLOW_USE_CUSTOM\w+"
    ),
    "XLA and JAX": r"(XLA|JAX|PJRT)_\w+|NPROC|LIBTPU_INIT_ARGS",
    "PyTorch": (
        r"(ATEN|TORCH|TORCHINDUCTOR|TORCHDYNAMO|INDUCTOR|PYTORCH|TRITON)_\w+"
        r"|THP_MEM_ALLOC_ENABLE|LRU_CACHE_CAPACITY|DISABLE_(ADDMM_CUDA_LT|LLVM_OPT|PTXAS_OPT|MMA_V3)"
    ),
    "NumPy, SciPy, scikit-learn, numba": r"(NPY|NUMPY|SCIPY|SKLEARN|JOBLIB|LOKY|NUMBA)_\w+",
    "BLAS": r"(OPENBLAS|GOTO|GOTOBLAS|BLIS|MKL|VECLIB)_\w+",
    "oneDNN": r"(ONEDNN|DNNL|_ONEDNN|_DNNL|ZENDNN|ZENDNNL)_\w+",
    "OpenMP and TBB": r"(OMP|GOMP|KMP|LIBOMP|TBB)_\w+",
    "CUDA": (
        r"CUDA_(VISIBLE_DEVICES|DEVICE_\w+|MANAGED_\w+|CACHE_\w+|(FORCE|DISABLE|ENABLE)_\w+|LAUNCH_BLOCKING|SCALE_\w+"
        r"|GRAPHS_\w+|PREFER_\w+|AUTO_BOOST|MODULE_\w+|BINARY_LOADER_\w+|INJECTION64_PATH"
        r"|MPS_(ACTIVE_THREAD|CLIENT|PINNED)\w*)|NVIDIA_TF32_OVERRIDE|(CUBLAS|CUBLASLT|CUDNN|NCCL)_\w+"
    ),
    "ROCm": (
        r"(HSA|ROCR|ROC|HIP|HIPRTC|HIPBLASLT|ROCBLAS|TENSILE|MIOPEN|RCCL|AMDGCN|DEBUG_CLR|DEBUG_HIP)_\w+"
        r"|AMD_(CPU_AFFINITY|DIRECT_DISPATCH|GPU|LOG|OCL|OPT_FLUSH|SERIALIZE|THREAD_TRACE)\w*"
        r"|GPU_(BLIT|CP_DMA|DEVICE_ORDINAL|ENABLE|FLUSH|FORCE|MAX|PINNED|RESOURCE|SINGLE|STAGING|STREAMOPS|USE|WAVES)\w*"
    ),
    "glibc and allocators": (
        r"GLIBC_TUNABLES|MALLOC_\w+|(_RJEM_|JE_)MALLOC_CONF|TCMALLOC_\w+|(CPU|HEAP)PROFILE\w*|(?i:MIMALLOC)_\w+|Malloc\w+"
        r"|LD_(PRELOAD|AUDIT|BIND_NOW|BIND_NOT|DEBUG|DYNAMIC_WEAK|HWCAP_MASK|PROFILE)|DYLD_INSERT_LIBRARIES"
    ),
    "Python": (
        r"PYTHON(ASYNCIODEBUG|DEVMODE|DUMPREFS|HASHSEED|MALLOC|MALLOCSTATS|OPTIMIZE|PERFSUPPORT|STATS|TRACEMALLOC)"
        r"|PYTHON_(CPU_COUNT|GIL|JIT|PERF_JIT_SUPPORT|THREAD_INHERIT_CONTEXT|TLBC)"
    ),
}
# Of these: secrets, hosts, ids of processes and places of files; what only says something; and what Keras, joblib and
# threadpoolctl set themselves. The backend is a fact of its own.
SILENT = re.compile(
    r"\w*(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|_REDIS_)\w*"
    r"|(?!\w+_(ON|PER|BETWEEN)_HOSTS?$)\w+_(HOST|HOSTS|HOSTNAMES?|HOSTID|ADDR|ADDRESS|ADDRESSES|IFNAME|HCA|UUID|URL|URI|PORT)"
    r"|JAX_(COORDINATOR_\w+|PROCESS_ID|PARTITION_INDEX|SLICE_INDEX|LOCAL_DEVICE_IDS)|XLA_DISTRIBUTED_\w+"
    r"|KERAS_(BACKEND|HOME|DISTRIBUTION_\w+)|NCCL_(COMM_ID|IB_ADDR_RANGE|IB_PKEY|SOCKET_MAGIC|MNNVL_CLIQUE_ID|CONF_FILE)"
    r"|(?!HSA_OVERRIDE_)\w+_(VERSION|HOME|ROOT|ROOT_DIR|INCLUDE_DIR|ARCH_LIST)|TORCH_EXTENSIONS_DIR|PYTORCH_BUILD_\w+"
    r"|HIP_(PATH|PLATFORM|COMPILER|RUNTIME|\w*CLANG_PATH|DEVICE_LIB_PATH)|(ROCR|HIP|MKL|CUDNN|NCCL|TBB)_(LIB|LIBRARY)(_DIR|_PATH)?"
    r"|TF_(DISABLE_PLUGIN_TLS|CUDA_(PATHS|COMPUTE_CAPABILITIES))"
    r"|KMP_(DUPLICATE_LIB_OK|INIT_AT_FORK|WARNINGS|SETTINGS)|OMP_DISPLAY_\w+|OMP_AFFINITY_FORMAT|(OPENBLAS|GOTOBLAS)_MAIN_FREE"
    r"|JAX_(LOG_COMPILES|LOGGING_LEVEL|DEBUG_LOG_MODULES|EXPLAIN_CACHE_MISSES|TRACEBACK_\w+|PPRINT_USE_COLOR)"
)
_TUNING = re.compile("|".join(RECORDED.values()))

LESS_WORK = {
    "KERAS_MAX_EPOCHS": "training",
    "KERAS_MAX_STEPS_PER_EPOCH": "epoch",
}
# What lets a program be loaded instead of compiled, and no record says whether it was there: JAX's is switched off.
COMPILED = {
    "TF_XLA_FLAGS": "tf_xla_persistent_cache_directory",
    "XLA_FLAGS": "xla_gpu_per_fusion_autotune_cache_dir",
}

FLAGS = ("XLA_FLAGS", "TF_XLA_FLAGS")  # which may name a file that holds them
LIBRARIES = ("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "HSA_TOOLS_LIB", "CUDA_INJECTION64_PATH")
DEVICES = re.compile(r"\w*VISIBLE_DEVICES|GPU_DEVICE_ORDINAL")  # which may hold their serial numbers
PATH = re.compile(r"(?<![\w.])(~|[A-Za-z]:)?[/\\][^\s,;:]*")


def tuning(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tune libraries; without paths, and of devices only how many are named."""
    names = [name for name in sorted(environment) if _TUNING.fullmatch(name) and not SILENT.fullmatch(name)]
    return {name: _value(name, environment[name]) for name in names}


def _value(name: str, text: str) -> str:
    if DEVICES.fullmatch(name):
        named = [part for part in re.split(r"[,;]", text) if part.strip() not in ("", "-1")]
        return f"{len(named)} named"
    if name in LIBRARIES:
        return " ".join(Path(part).name for part in re.split(r"[\s:]+", text))
    return PATH.sub("<path>", _flags(name, text))


def _flags(name: str, text: str) -> str:
    """Return XLA's flags, from the file that the variable names where it names one."""
    if name in FLAGS and text and not text.lstrip().startswith("-") and Path(text).is_file():
        return " ".join(Path(text).read_text(errors="replace").split())
    return text


def refuse(environment: Mapping[str, str]) -> None:
    """Raise InvalidInputError for variables with which a run would do other work than its record says."""
    for name, cut in LESS_WORK.items():
        if environment.get(name):
            effect = f"ends each {cut} early, so row counts and times would be wrong for the case"
            raise InvalidInputError(f"the environment variable {name}={environment[name]} {effect}; unset it")
    for name, flag in COMPILED.items():
        if flag in _flags(name, environment.get(name, "")):
            effect = "stores compiled programs on disk, so first_call would measure loading instead of compiling"
            raise InvalidInputError(f"the environment variable {name}: --{flag} {effect}; remove this flag")
