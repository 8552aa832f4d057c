"""Every config composes into its types, and what does not fit is refused with a message that says what would."""

import re
from pathlib import Path

import pytest
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import OmegaConf

from experiments.configs.base import ConfigError
from experiments.configs.models import SeveralConfig
from experiments.configs.run import SCHEMAS, Config, typed
from experiments.questions import question
from tests.experiments.conftest import CONF, optional

OPTIONS = [(path.parent.name, path.stem) for path in sorted(CONF.glob("*/*.yaml"))]
NEEDED = {  # what has no default
    "data=array": ["data.path=x.npy"],
    "data=folder": ["data.path=x"],
    "model=own": ["model._target_=mypackage.Net"],
    "question=own": ["question._target_=mypackage.my_question"],
}


@pytest.mark.parametrize(("group", "option"), [pytest.param(*pair, marks=optional(pair[1])) for pair in OPTIONS])
def test_every_option_composes_and_is_typed(composed, group, option):
    config = composed(f"{group}={option}", *NEEDED.get(f"{group}={option}", []))
    assert not OmegaConf.missing_keys(config)
    made = typed(config)
    assert isinstance(made, Config)
    if group in SCHEMAS and option in SCHEMAS[group]:
        assert type(getattr(made, group)) is SCHEMAS[group][option]


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(option, marks=optional(option))
        for group, option in OPTIONS
        if group in ("question", "experiment") and f"{group}={option}" not in NEEDED
    ],
)
def test_every_question_accepts_its_own_defaults(composed, option):
    group = "question" if (CONF / "question" / f"{option}.yaml").exists() else "experiment"
    made = typed(composed(f"{group}={option}"))
    question(made.question).check(made)


def test_the_main_job_is_the_default(composed):
    made = typed(composed())
    assert type(made.question) is SCHEMAS["question"]["correspondence"]
    assert isinstance(made.model, SeveralConfig) and set(made.model.parts) == {"mlp", "cnn"}


def test_the_seed_reaches_data_and_models(composed):
    made = typed(composed("seed=7"))
    assert made.data.seed == 7
    assert {part.seed for part in made.model.parts.values()} == {7}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.roundz=3", "'roundz' not in 'CorrespondenceConfig'"),
        ("model.parts.cnn.channel=4", "'channel' not in 'CNNConfig'"),
        ("question.samples=many", "'many' of type 'str' could not be converted to Integer"),
        ("question.biases=[fixd]", "expected one of \\[fixed, neuron, distribute\\]"),
        ("question.dtypes=[float16]", "expected one of \\[float32, float64\\]"),
    ],
)
def test_a_wrong_key_type_or_choice_is_refused_when_composing(composed, override, message):
    with pytest.raises(ConfigCompositionException, match="rror merging override|Could not override") as raised:
        composed(override)
    assert re.search(message, str(raised.value.__cause__))


def test_an_unknown_option_names_the_options(composed):
    with pytest.raises(MissingConfigException, match=r"(?s)Available options in 'question':.*correspondence.*cost"):
        composed("question=foo")


@pytest.mark.parametrize("override", ["+question.sample=3", "+foo=1", "+model.parts.cnn.kernel=3"])
def test_a_forced_key_is_refused_too(composed, override):
    key = override[1:].split("=")[0]
    with pytest.raises(ConfigError, match=f"No key '{key}'; the valid keys there are "):
        typed(composed(override))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.samples=0", "'question.samples' must be at least 1; found 0"),
        ("question.shown=40", "'question.shown' must be one of the samples 0 to 31; found 40"),
        ("question.rules=[gama]", r"'question.rules' must be a rule of the catalogue \(lrp0, .*pattern\); found gama"),
        ("+question.parameters.gama.gamma=1", "'question.parameters' must be a rule of the catalogue"),
        ("question.parameters.gamma.gamma=-1", "'question.parameters.gamma' do not fit 'gamma': 'gamma' must be >= 0"),
        ("+question.parameters.zplus.gamma=1", "'question.parameters.zplus' must be parameters of 'zplus' .none.; found"),
        ("question.biases=[]", "must be not empty"),
    ],
)
def test_a_value_that_the_question_cannot_use_is_refused_before_any_work(composed, override, message):
    made = typed(composed(override))
    with pytest.raises(ConfigError, match=message):
        question(made.question).check(made)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("question.rounds=0", "'question.rounds' must be at least 1"),
        ("question.peers=[lxt]", "'question.peers' must be among zennit, captum, autolrp; found lxt"),
    ],
)
def test_cost_refuses_what_it_cannot_use(composed, override, message):
    made = typed(composed("question=cost", override))
    with pytest.raises(ConfigError, match=message):
        question(made.question).check(made)


def test_every_yaml_file_is_an_option_of_a_group():
    folders = {path.parent for path in Path(CONF).rglob("*.yaml")} - {CONF / "hydra" / "launcher"}
    assert folders == {CONF, *(CONF / group for group in (*SCHEMAS, "experiment"))}
