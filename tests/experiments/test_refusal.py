"""What a config that does not compose is told."""

import pytest
from hydra.errors import CompactHydraException

from experiments.configs.run import typed
from experiments.runs.identity import sources
from experiments.runs.refusal import refusal


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["plan.paramters.gamma=1"],
            "No key 'plan.paramters'; did you mean parameters? the valid keys there are name, rule, bias",
        ),
        (
            ["question.sample=3"],
            "No key 'question.sample'; did you mean samples? the valid keys there are rules, biases, dtypes",
        ),
        (
            ["dtpe=float32"],
            "No key 'dtpe'; did you mean dtype? the valid keys there are question, data, model, plan, bias, root, dtype",
        ),
        (["dtype=float16"], "'dtype': Invalid value 'float16', expected one of [float32, float64]"),
        (["root=near"], "'root': Invalid value 'near', expected one of [line, nearest]"),
        (["question.samples=many"], "'question.samples': Value 'many' of type 'str' could not"),
        (["plan.parameters.gama=1"], "No key 'plan.parameters.gama'; did you mean gamma? the keys there are gamma."),
        (["plan=gama"], "No option 'gama' in 'plan'; did you mean gamma? there are alphabeta"),
        (["plan=zzzzzz"], "No option 'zzzzzz' in 'plan'; there are alphabeta"),
        (["experiment=smal"], "No option 'smal' in 'experiment'; did you mean small? there are anomaly"),
        (["model=mpl"], "No option 'mpl' in 'model'; did you mean mlp? there are"),
        (["data=digit"], "No option 'digit' in 'data'; did you mean digits? there are"),
        (["modle=mlp"], "No key 'modle'; did you mean model? the valid keys there are question, data"),
        (
            ["plan=own", "plan.entries=[{where: every, rul: gamma}]"],
            "No key 'rul'; did you mean rule? the valid keys there are where",
        ),
        (
            ["plan=own", "plan.entries=[{where: every, bias: none}]"],
            "'bias': Invalid value 'none', expected",
        ),
    ],
)
def test_the_key_and_what_is_valid_are_named(composed, overrides, message):
    with pytest.raises(CompactHydraException) as raised:
        typed(composed(*overrides))
    assert refusal(raised.value).startswith(message)


@pytest.mark.parametrize("package", ["os", "sys", "no_such_package", "", "os.path.x"])
def test_a_trusted_name_without_a_file_has_no_code_to_identify(package):
    assert isinstance(sources(package), str)
