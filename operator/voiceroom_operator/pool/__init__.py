"""Parts of the pool's plan; ``pool_plan.plan`` puts them together."""
