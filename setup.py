"""Packages of the wheel: the library, and the weights and samples in assets/ as data of it."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages(include=["gohd_core*"]), "gohd_core.assets"],
    package_dir={"gohd_core.assets": "assets"},
)
