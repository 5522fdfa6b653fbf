"""The catalogue of tasks."""

from gnn.task import Task
from gnn.tasks import company_fraud, fraud_ring, linked_party, supply_chain_distress
from kg.errors import UsageError, did_you_mean_one_of

TASKS: tuple[Task, ...] = (company_fraud.TASK, linked_party.TASK, fraud_ring.TASK, supply_chain_distress.TASK)


def choose(name: str) -> Task:
    """Return the task of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    known = {task.name: task for task in TASKS}
    if name not in known:
        raise UsageError(f"no task named '{name}'{did_you_mean_one_of(name, list(known))}")
    return known[name]


__all__ = ["TASKS", "choose"]
