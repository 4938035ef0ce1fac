"""The lock before a write: threads get it in the order of their requests."""

from threading import Event, Thread

from lead_service.db.engine import FairLock
from tests.support.waiting import eventually


def test_threads_get_the_lock_in_the_order_in_which_they_asked():
    lock, got, may_leave = FairLock(), [], Event()

    def work(number: int) -> None:
        assert lock.acquire(10)
        got.append(number)
        may_leave.wait(10)
        lock.release()

    assert lock.acquire(0)
    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for number, thread in enumerate(threads):
        thread.start()
        assert eventually(lambda asked=number + 1: len(lock._waiting) == asked)
    lock.release()
    assert not lock.acquire(0), "who comes later must not be faster"
    may_leave.set()
    for thread in threads:
        thread.join()
    assert got == list(range(8))


def test_a_thread_that_gave_up_is_not_given_the_lock():
    lock = FairLock()
    assert lock.acquire(0)
    assert not lock.acquire(0.001)
    lock.release()
    assert lock.acquire(0)
