"""Cost-benefit: what storage will cost, and which option pays."""

import streamlit as st

from analytics.core.quantity import BYTES, format_quantity
from analytics.costs.demand import measured_demand
from analytics.costs.options import OPTIONS
from analytics.reporting import money
from analytics.ui import cost_address, costs
from analytics.ui.cost_charts import written_down
from analytics.ui.parts import show_part
from analytics.ui.shell import open_page
from analytics.ui.tables import show_table
from analytics.ui.widgets import Card, choose, headline_row, title

with open_page("Cost-benefit") as page:
    demand = page.read(measured_demand, page.filters)
    if cost_address.take_up():
        costs.begin_anew()
    option_ids = costs.choose_options()
    with st.expander("Assumptions: change a value, and everything below follows"):
        assumptions = costs.edit_assumptions(demand)
    with st.expander("Price book: every price with its source and date"):
        prices = costs.edit_prices()
    cost_address.keep(assumptions, prices)
    appraisal = page.read(costs.appraisal_of, page.filters, assumptions, prices, option_ids)
    best, base, currency = appraisal.best, appraisal.baseline, prices.currency
    years = assumptions.horizon_years
    headline_row([
        Card("Held today", format_quantity(demand.bytes_held, BYTES), f"to {demand.as_of:%-d %b %Y}"),
        Card(f"Keep on site, {years} years", money.money_words(base.present_cost, currency), "present cost"),
        Card("Lowest present cost", best.flow.option.title, money.money_words(best.present_cost, currency), "good"),
        Card("It saves", money.money_words(base.present_cost - best.present_cost, currency),
             "net present value against keeping on site", "good" if best is not base else "flat"),
    ])
    if prices.assumed:
        st.info(f"{len(prices.assumed)} of {len(prices.prices)} prices are assumptions that nobody has quoted. Replace "
                "them in the price book before a decision rests on them.", icon=":material/edit_note:")
    with st.container(border=True):
        title("Verdict", "Each option against keeping on site; year 0 is today")
        show_table(page, costs.verdict_table(appraisal), "Verdict")
        for note in [f"{one.flow.option.title}: {one.irr.why}" for one in appraisal.verdicts[1:] if one.irr.why]:
            st.caption(note)
        costs.show_downloads(assumptions, prices, option_ids, page)
    written = written_down(option_ids, assumptions, prices)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        show_part(page, "costs.cash_flow", heading="Cost of each year", named=written)
    with right, st.container(border=True, height="stretch"):
        show_part(page, "costs.accumulated", heading="Saved against keeping on site, added up", named=written,
                  said="An option has paid back where its line stays above zero")
    others = {one.flow.option.id: one.flow.option.title for one in appraisal.verdicts[1:]}
    if others:
        option = OPTIONS[choose("Look closer at", others, key="costs-closer")]
        with st.container(border=True):
            show_part(page, "costs.waterfall", heading=f"Where the cost of {option.title} comes from",
                      said=option.description, named={**written, "option": option.id})
        with st.container(border=True):
            _, spread = page.read(costs.swings_of, page.filters, assumptions, prices, option.id)
            show_part(page, "costs.tornado", heading=f"What the verdict on {option.title} depends on",
                      said=costs.spread_words(spread, currency), named={**written, "option": option.id})
    with st.container(border=True):
        costs.show_scenarios(option_ids, assumptions, prices)
