"""Variables that change times are recorded, those that change the amount of work are refused, secrets are not kept."""

import pytest

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.machine import variables

# At least one variable per library that changes how fast it is.
TUNING = """
NPY_DISABLE_CPU_FEATURES NPY_ENABLE_CPU_FEATURES NUMPY_MADVISE_HUGEPAGE SCIPY_ARRAY_API SKLEARN_ASSUME_FINITE
SKLEARN_WORKING_MEMORY JOBLIB_START_METHOD LOKY_MAX_CPU_COUNT NUMBA_DISABLE_JIT NUMBA_OPT
OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS GOTO_NUM_THREADS BLIS_ARCH_TYPE MKL_CBWR MKL_ENABLE_INSTRUCTIONS
VECLIB_MAXIMUM_THREADS ONEDNN_MAX_CPU_ISA ONEDNN_VERBOSE DNNL_MAX_CPU_ISA DNNL_PRIMITIVE_CACHE_CAPACITY
_ONEDNN_GRAPH_DUMP OMP_WAIT_POLICY OMP_PROC_BIND GOMP_CPU_AFFINITY GOMP_SPINCOUNT KMP_BLOCKTIME KMP_AFFINITY
LIBOMP_USE_HIDDEN_HELPER_TASK TBB_MALLOC_DISABLE_REPLACEMENT
ATEN_CPU_CAPABILITY TORCHINDUCTOR_MAX_AUTOTUNE TORCHDYNAMO_DISABLE TORCH_ALLOW_TF32_CUBLAS_OVERRIDE
PYTORCH_NO_CUDA_MEMORY_CACHING PYTORCH_ALLOC_CONF LRU_CACHE_CAPACITY THP_MEM_ALLOC_ENABLE TRITON_INTERPRET
XLA_FLAGS XLA_PYTHON_CLIENT_ALLOCATOR XLA_PJRT_GPU_HOST_MEMORY_LIMIT_GB JAX_DISABLE_JIT JAX_ENABLE_X64
JAX_SHARE_BINARY_BETWEEN_HOSTS PJRT_NPROC NPROC LIBTPU_INIT_ARGS
TF_XLA_FLAGS TF_ENABLE_ONEDNN_OPTS TF_ONEDNN_USE_SYSTEM_ALLOCATOR TF_NUM_INTEROP_THREADS TF_GPU_HOST_MEM_LIMIT_IN_MB
TF_FP16_CONV_USE_FP32_COMPUTE TF_MATMUL_AUTOTUNE_ENABLE TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_LEVEL
TF_DATA_EXPERIMENT_OPT_IN TF_CPP_MAX_VLOG_LEVEL TF_FORCE_GPU_ALLOW_GROWTH TF_USE_LEGACY_KERAS
KERAS_NNX_ENABLED KERAS_TORCH_DEVICE KERAS_USE_BACKEND_AGNOSTIC_OPS
CUDA_LAUNCH_BLOCKING CUDA_MODULE_LOADING CUDA_CACHE_DISABLE CUDA_DEVICE_MAX_CONNECTIONS
CUDA_MPS_ACTIVE_THREAD_PERCENTAGE
NVIDIA_TF32_OVERRIDE CUBLAS_WORKSPACE_CONFIG CUBLASLT_WORKSPACE_SIZE CUDNN_ERRATA_JSON_FILE NCCL_ALGO
HSA_XNACK HSA_OVERRIDE_GFX_VERSION HIP_LAUNCH_BLOCKING ROCBLAS_USE_HIPBLASLT MIOPEN_FIND_MODE GPU_MAX_HW_QUEUES
AMD_SERIALIZE_KERNEL
GLIBC_TUNABLES MALLOC_ARENA_MAX TCMALLOC_RELEASE_RATE MIMALLOC_LARGE_OS_PAGES mimalloc_verbose LD_BIND_NOW LD_DEBUG
PYTHONDEVMODE PYTHONMALLOC PYTHONHASHSEED PYTHONOPTIMIZE PYTHONTRACEMALLOC PYTHON_JIT PYTHON_GIL PYTHON_CPU_COUNT
"""
# Variables of other programs, and those for hosts, ids, places, logging and secrets.
OTHERS = """
HOME PATH LD_LIBRARY_PATH MY_OMP_NUM_THREADS PYTHONPATH PYTHONHOME PYTHON_VERSION PYTHON_SHA256 PYTHONWARNINGS
TF_VAR_password TF_TOKEN_app_terraform_io TF_HTTP_PASSWORD TF_ENCRYPTION TF_CLI_CONFIG_FILE TF_CLI_ARGS
TF_LOG TF_DATA_DIR
TF_CONFIG TF_CPP_MIN_LOG_LEVEL TF2_BEHAVIOR TF_CUDA_PATHS KERAS_BACKEND KERAS_HOME KERAS_DISTRIBUTION_JOB_ADDRESSES
JAX_COORDINATOR_ADDRESS JAX_PROCESS_ID JAX_LOG_COMPILES KMP_DUPLICATE_LIB_OK KMP_INIT_AT_FORK OMP_DISPLAY_ENV
CUDA_HOME CUDA_PATH CUDA_VERSION CUDNN_VERSION CUDNN_PATH_IN_MY_SCRIPT_TOKEN NCCL_VERSION NVIDIA_VISIBLE_DEVICES
TORCH_CUDA_ARCH_LIST TORCH_HOME TORCH_EXTENSIONS_DIR HIP_PATH HIP_PLATFORM ROCM_PATH MKLROOT
NCCL_SOCKET_IFNAME NCCL_COMM_ID NCCL_HOSTID TORCHINDUCTOR_REDIS_HOST TRITON_REDIS_HOST
OMPI_COMM_WORLD_RANK SLURM_JOB_ID MASTER_ADDR RANK TPU_WORKER_HOSTNAMES
"""


@pytest.mark.parametrize("name", TUNING.split())
def test_recorded(name):
    """A variable that tunes a library is recorded, and so belongs to the context."""
    assert variables.tuning({name: "1"}) == {name: "1"}


@pytest.mark.parametrize("name", OTHERS.split())
def test_others(name):
    """A variable that tunes nothing, may be secret or names a host is not recorded."""
    assert variables.tuning({name: "a secret"}) == {}


@pytest.mark.parametrize(
    ("name", "value", "recorded"),
    [
        ("XLA_FLAGS", "--xla_dump_to=/home/me/x --xla_cpu=1", "--xla_dump_to=<path> --xla_cpu=1"),
        ("XLA_FLAGS", r"--to=C:\Users\me --on=~/x", "--to=<path> --on=<path>"),
        ("LD_PRELOAD", "/usr/lib/libtcmalloc.so.4:/home/me/libjemalloc.so", "libtcmalloc.so.4 libjemalloc.so"),
        ("CUDA_VISIBLE_DEVICES", "GPU-5f2e8a10-1111,3", "2 named"),
        ("CUDA_VISIBLE_DEVICES", "-1", "0 named"),
        ("ROCR_VISIBLE_DEVICES", "", "0 named"),
    ],
)
def test_values(name, value, recorded):
    """Paths are removed, libraries keep their names, and devices are counted."""
    assert variables.tuning({name: value}) == {name: recorded}


def test_file_of_flags(tmp_path):
    """If XLA's variable names a file, the flags in this file are recorded."""
    (tmp_path / "flags").write_text("--xla_cpu_enable_fast_math=true\n--xla_dump_to=/home/me\n")
    recorded = variables.tuning({"XLA_FLAGS": str(tmp_path / "flags")})
    assert recorded == {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true --xla_dump_to=<path>"}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"KERAS_MAX_EPOCHS": "1"}, "variable KERAS_MAX_EPOCHS=1 ends each training early, .*; unset it"),
        ({"KERAS_MAX_STEPS_PER_EPOCH": "2"}, "variable KERAS_MAX_STEPS_PER_EPOCH=2 ends each epoch early"),
        (
            {"TF_XLA_FLAGS": "--tf_xla_persistent_cache_directory=/x"},
            "variable TF_XLA_FLAGS: --tf_xla_persistent_cache_directory stores compiled programs",
        ),
    ],
)
def test_refused(environment, message):
    """A variable that makes a run do less than its record says is refused, in a sentence that names it."""
    with pytest.raises(InvalidInputError, match=message):
        variables.refuse(environment)


def test_not_refused():
    """An empty variable, and a flag without effect on the work, is accepted."""
    variables.refuse({"KERAS_MAX_EPOCHS": "", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2"})
