"""The charts of a cost-benefit appraisal, each made of what is written down: options, assumptions and prices."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from analytics.costs.appraisal import Appraisal
from analytics.costs.assumptions import Assumptions
from analytics.costs.price_book import PriceBook, load_price_book, read_price_book
from analytics.reporting import money
from analytics.ui.costs import appraisal_of, swings_of
from analytics.ui.parts import part
from analytics.ui.shell import Page


def written_down(option_ids: tuple[str, ...], assumptions: Assumptions, prices: PriceBook) -> dict[str, Any]:
    """Write down what an appraisal is made of; empty stands for the assumptions and the price book that ship."""
    return {"options": option_ids, "assumptions": "" if assumptions == Assumptions() else assumptions.to_json(),
            "prices": "" if prices == load_price_book() else prices.to_csv()}


def _read(assumptions: str, prices: str) -> tuple[Assumptions, PriceBook]:
    return (Assumptions.from_json(assumptions) if assumptions else Assumptions(),
            read_price_book(prices, "a pinned chart") if prices else load_price_book())


def _appraisal(page: Page, options: tuple[str, ...], assumptions: str, prices: str) -> Appraisal:
    return page.read(appraisal_of, page.filters, *_read(assumptions, prices), options)


@part("costs.cash_flow")
def _cash_flow(page: Page, **written: Any) -> go.Figure:
    return money.cash_flow_figure(_appraisal(page, **written))


@part("costs.accumulated")
def _accumulated(page: Page, **written: Any) -> go.Figure:
    return money.accumulated_figure(_appraisal(page, **written))


@part("costs.waterfall")
def _waterfall(page: Page, option: str, **written: Any) -> go.Figure:
    appraisal = _appraisal(page, **written)
    verdict = next(one for one in appraisal.verdicts if one.flow.option.id == option)
    return money.waterfall(appraisal.baseline, verdict, appraisal.prices.currency)


@part("costs.tornado")
def _tornado(page: Page, option: str, **written: Any) -> go.Figure:
    appraisal = _appraisal(page, **written)
    verdict = next(one for one in appraisal.verdicts if one.flow.option.id == option)
    swings, _ = page.read(swings_of, page.filters, *_read(written["assumptions"], written["prices"]), option)
    return money.tornado_figure(swings, verdict.npv, appraisal.prices.currency)
