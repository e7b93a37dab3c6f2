"""Threads that compute alone."""

from __future__ import annotations

import threading

import pytest
import torch

from gohd_core.kernels.threads import SingleThreadPool, prefetched


def test_cores_keep_the_order_and_compute_alone():
    before, threads, alone = torch.get_num_threads(), set(), []
    together = threading.Barrier(3)

    def work(item: int) -> int:
        together.wait(timeout=60)
        threads.add(threading.get_ident())
        alone.append(torch.get_num_threads())
        assert torch.is_inference_mode_enabled()
        return item * item

    cores = SingleThreadPool(3)
    assert cores.map(work, range(9)) == [k * k for k in range(9)]
    assert set(alone) == {1} and len(threads) == 3 and threading.get_ident() not in threads
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError):
        cores.map(lambda item: 1 // item, [1, 0])


def test_threads_that_compute_for_the_first_time_are_as_before():
    seen = []
    SingleThreadPool(2)
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [torch.get_num_threads()]


def test_items_are_made_while_the_one_before_is_used() -> None:
    made: list[int] = []

    def items():
        for k in range(4):
            made.append(k)
            yield k
        raise ValueError("broken off")

    ahead = prefetched(items())
    assert next(ahead) == 0
    with pytest.raises(ValueError, match="broken off"):
        list(ahead)
    assert made == [0, 1, 2, 3]
    assert list(prefetched(iter([]))) == []
