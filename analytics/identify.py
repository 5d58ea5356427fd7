"""Who a patient is: asked of the source itself, by those who may, and written down before it is shown."""
