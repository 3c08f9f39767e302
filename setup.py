"""Build the compiled parts of the detection engine; all else is in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

PARTS = ("folding", "searching", "hearing", "weighing", "judging")
# a sum must not depend on whether the processor can multiply and add in one step
ARGUMENTS = ["-O3", "-g0", "-ffp-contract=off"]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"audit_service.detection._{name}",
                [f"audit_service/detection/_{name}.pyx"],
                extra_compile_args=ARGUMENTS,
            )
            for name in PARTS
        ],
        build_dir="build",
        language_level=3,
        compiler_directives={"boundscheck": False, "wraparound": False, "cdivision": True, "initializedcheck": False},
    )
)
