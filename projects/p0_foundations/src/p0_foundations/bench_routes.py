"""The probability room over HTTP: one route a bench, each computed in a worker thread.

SciPy is loaded at the first question, so that the service starts without it. Read next:
`benches.py`.
"""

from types import ModuleType

from fastapi import APIRouter

from p0_foundations.bench_contracts import (
    BayesAnswer,
    BayesQuestion,
    BootstrapAnswer,
    BootstrapQuestion,
    CentralLimitAnswer,
    CentralLimitQuestion,
    DistributionAnswer,
    DistributionQuestion,
    LargeNumbersAnswer,
    LargeNumbersQuestion,
    LikelihoodAnswer,
    LikelihoodQuestion,
    ManyTestsAnswer,
    ManyTestsQuestion,
)
from p0_foundations.workbench import Workbench


def bench_router(workbench: Workbench) -> APIRouter:
    """Make the routes of the probability benches."""
    router = APIRouter(prefix="/v1/probability", tags=["probability"])

    @router.post("/distributions")
    async def distributions(asked: DistributionQuestion) -> DistributionAnswer:
        """Draw a sample and lay it over its density."""
        return await workbench.run(lambda: _benches().distributions(asked))

    @router.post("/large-numbers")
    async def large_numbers(asked: LargeNumbersQuestion) -> LargeNumbersAnswer:
        """Average more and more draws: with a mean they settle, without they never do."""
        return await workbench.run(lambda: _benches().large_numbers(asked))

    @router.post("/central-limit")
    async def central_limit(asked: CentralLimitQuestion) -> CentralLimitAnswer:
        """Spread the means of many samples beside the normal curve."""
        return await workbench.run(lambda: _benches().central_limit(asked))

    @router.post("/likelihood")
    async def likelihood(asked: LikelihoodQuestion) -> LikelihoodAnswer:
        """Find the parameter under which drawn data are most likely, and how sure that is."""
        return await workbench.run(lambda: _benches().likelihood(asked))

    @router.post("/bayes")
    async def bayes(asked: BayesQuestion) -> BayesAnswer:
        """Flip a coin of unknown bias and update the belief in its share of heads."""
        return await workbench.run(lambda: _benches().bayes_update(asked))

    @router.post("/bootstrap")
    async def bootstrap(asked: BootstrapQuestion) -> BootstrapAnswer:
        """Resample a small sample to see how sure a statistic of it is."""
        return await workbench.run(lambda: _benches().bootstrap_interval(asked))

    @router.post("/many-tests")
    async def many_tests(asked: ManyTestsQuestion) -> ManyTestsAnswer:
        """Test many things of which none is there, with and without a correction."""
        return await workbench.run(lambda: _benches().many_tests(asked))

    return router


def _benches() -> ModuleType:
    from p0_foundations import benches  # noqa: PLC0415 - SciPy at first use

    return benches
