import threading

import numpy as np

from lit.images.workspace import LARGEST_KEPT, Workspace


def test_memory_is_used_again():
    workspace = Workspace()
    first = workspace.array("a", (10, 20), np.float32)
    assert np.shares_memory(first, workspace.array("a", (5,)))
    assert not np.shares_memory(first, workspace.array("b", (10, 20)))
    assert workspace.array("a", (11, 20), np.float32).shape == (11, 20)


def test_threads_do_not_share():
    workspace, other = Workspace(), []
    thread = threading.Thread(target=lambda: other.append(workspace.array("a", (10,))))
    thread.start()
    thread.join()
    assert not np.shares_memory(workspace.array("a", (10,)), other[0])


def test_huge_arrays_are_not_kept():
    workspace = Workspace()
    kept = workspace.array("a", (8,))
    assert not np.shares_memory(workspace.array("a", (LARGEST_KEPT + 1,)), workspace.array("a", (8,)))
    assert np.shares_memory(kept, workspace.array("a", (8,)))
