"""Cost-benefit appraisal of storage options against keeping on site.

An option's net flow is what the baseline costs less what the option costs, year by year. Flows fall at the end of
their year; year 0 is not discounted. Definitions: HM Treasury, The Green Book (2022); Brealey, Myers & Allen,
Principles of Corporate Finance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy_financial as npf
import pandas as pd

from analytics.core.errors import PacsmeterError
from analytics.costs.assumptions import Assumptions
from analytics.costs.demand import Demand
from analytics.costs.options import COMPARED, OPTIONS, CashFlow, cash_flow
from analytics.costs.price_book import PriceBook

CENT = 0.005
"""Flows nearer to zero than half a cent are zero: what is left is rounding."""
ROOT_AT_ZERO = 1e-9
BORROWS = ("The option saves first and costs later, as a loan does: it pays only where the discount rate is above this "
           "rate.")


@dataclass(frozen=True)
class Rate:
    """An internal rate of return, or the reason why there is none.

    Attributes
    ----------
    value : the rate as a fraction, ``None`` where there is not exactly one.
    why : empty, or one sentence.
    all : every rate at which the net present value is zero.
    """

    value: float | None
    why: str = ""
    all: tuple[float, ...] = ()


def sign_changes(flows: np.ndarray) -> int:
    """Count the changes of sign along the flows, passing over zeros."""
    signs = np.sign(np.where(np.abs(flows) < CENT, 0.0, flows))
    signs = signs[signs != 0]
    return int((signs[1:] != signs[:-1]).sum())


def net_present_value(rate: float, flows: np.ndarray) -> float:
    """Return the sum of the flows discounted to year 0; the first flow is year 0's."""
    return float(npf.npv(rate, flows))


def _every_rate(flows: np.ndarray) -> tuple[float, ...]:
    """Return every rate above -100 % at which the net present value is zero: roots in 1 / (1 + rate)."""
    roots = np.roots(flows[::-1])
    real = roots.real[(np.abs(roots.imag) < 1e-7 * np.maximum(1, np.abs(roots))) & (roots.real > ROOT_AT_ZERO)]
    return tuple(sorted(float(1 / root - 1) for root in real))


def internal_rate(flows: np.ndarray) -> Rate:
    """Return the rate at which the net present value is zero, where there is exactly one.

    Without a change of sign there is none; with one change exactly one (Descartes' rule); with more there may
    be several, and then none of them is the answer.
    """
    flows = np.where(np.abs(flows) < CENT, 0.0, np.asarray(flows, dtype=float))
    changes = sign_changes(flows)
    if changes == 0:
        what = "saves" if flows.sum() > 0 else "costs more"
        return Rate(None, f"The option {what} in every year that differs, so no rate of return exists."
                    if flows.any() else "The option costs what the baseline costs.")
    rates = _every_rate(flows)
    if changes == 1:
        return Rate(float(npf.irr(flows)), BORROWS if flows[flows != 0][0] > 0 else "", rates)
    if len(rates) == 1:
        return Rate(rates[0], f"The net flow changes sign {changes} times; this is the only rate.", rates)
    return Rate(None, f"The net flow changes sign {changes} times and {len(rates) or 'no'} rates of return fit: "
                "judge by net present value.", rates)


def payback(flows: np.ndarray) -> float | None:
    """Return the years after which the accumulated flow stays at zero or above; ``None`` where it never does.

    Within the year it is interpolated; 0 where the accumulated flow is never negative.
    """
    accumulated = np.cumsum(flows)
    negative = np.flatnonzero(accumulated < -CENT)
    if negative.size == 0:
        return 0.0
    last = int(negative[-1])
    return None if last == len(flows) - 1 else last - float(accumulated[last] / flows[last + 1])


@dataclass(frozen=True)
class Verdict:
    """One option against the baseline.

    Attributes
    ----------
    net : baseline's cost less the option's, index ``year``.
    npv : net present value of ``net``.
    irr : internal rate of return of ``net``.
    payback_years, discounted_payback_years : ``None`` where it is not paid back within the horizon.
    benefit_cost_ratio : present value of the cost lines that fall / of those that rise; ``None`` where none rises.
    total_cost : cost of ownership over the horizon, not discounted.
    present_cost : the same, discounted.
    cost_per_study : ``total_cost`` / studies acquired over the horizon.
    """

    flow: CashFlow
    net: pd.Series
    npv: float
    irr: Rate
    payback_years: float | None
    discounted_payback_years: float | None
    benefit_cost_ratio: float | None
    total_cost: float
    present_cost: float
    cost_per_study: float


@dataclass(frozen=True)
class Appraisal:
    """Options compared; the first verdict is the baseline's own."""

    demand: Demand
    assumptions: Assumptions
    prices: PriceBook
    verdicts: tuple[Verdict, ...]

    @property
    def baseline(self) -> Verdict:
        """Return the verdict of the option that all others are compared with."""
        return self.verdicts[0]

    @property
    def best(self) -> Verdict:
        """Return the option with the lowest present cost."""
        return min(self.verdicts, key=lambda verdict: verdict.present_cost)

    def cash_flows(self) -> pd.DataFrame:
        """Return total cost; index ``year``, one column an option."""
        return pd.DataFrame({verdict.flow.option.title: verdict.flow.cost for verdict in self.verdicts})

    def summary(self) -> pd.DataFrame:
        """Return one row an option with every indicator."""
        return pd.DataFrame([{
            "option_id": one.flow.option.id, "option": one.flow.option.title, "total_cost": one.total_cost,
            "present_cost": one.present_cost, "npv": one.npv, "irr": one.irr.value, "irr_note": one.irr.why,
            "payback_years": one.payback_years, "discounted_payback_years": one.discounted_payback_years,
            "benefit_cost_ratio": one.benefit_cost_ratio, "cost_per_study": one.cost_per_study,
        } for one in self.verdicts])


def _verdict(flow: CashFlow, baseline: CashFlow, rate: float) -> Verdict:
    net = (baseline.cost - flow.cost).rename("net")
    factors = (1 + rate) ** -flow.lines.index.to_numpy(dtype=float)
    by_line = (baseline.lines - flow.lines).mul(factors, axis=0).sum()
    rises, falls = -by_line[by_line < -CENT].sum(), by_line[by_line > CENT].sum()
    studies = float(flow.quantities.studies_added[1:].sum())
    return Verdict(
        flow=flow, net=net, npv=net_present_value(rate, net.to_numpy()), irr=internal_rate(net.to_numpy()),
        payback_years=payback(net.to_numpy()), discounted_payback_years=payback(net.to_numpy() * factors),
        benefit_cost_ratio=float(falls / rises) if rises > 0 else None,
        total_cost=float(flow.cost.sum()), present_cost=float((flow.cost.to_numpy() * factors).sum()),
        cost_per_study=float(flow.cost.sum()) / studies if studies else float("nan"))


def appraise(demand: Demand, assumptions: Assumptions, prices: PriceBook,
             option_ids: tuple[str, ...] = COMPARED) -> Appraisal:
    """Appraise storage options against the first of them.

    Parameters
    ----------
    demand : Demand
        What has to be stored: `measured_demand`.
    assumptions : Assumptions
    prices : PriceBook
    option_ids : tuple of str
        Ids of `OPTIONS`; the first is the baseline.
    """
    unknown = [option_id for option_id in option_ids if option_id not in OPTIONS]
    if unknown or not option_ids:
        raise PacsmeterError("There is no such storage option", f"Choose from: {', '.join(OPTIONS)}.",
                             unknown[0] if unknown else "")
    flows = [cash_flow(OPTIONS[option_id], demand, assumptions, prices) for option_id in dict.fromkeys(option_ids)]
    return Appraisal(demand, assumptions, prices,
                     tuple(_verdict(flow, flows[0], assumptions.discount_rate) for flow in flows))
