"""Schemas of ``conf/question``; the question of option NAME is asked by ``experiments/questions/NAME``."""

from experiments.configs.base import QuestionConfig
from experiments.configs.questions import cost, estimators, explanations, language, relevance_models, roots

QUESTIONS: dict[str, type[QuestionConfig]] = {
    "anomaly": estimators.AnomalyConfig,
    "castle": explanations.CastleConfig,
    "concepts": explanations.ConceptsConfig,
    "circuits": language.CircuitsConfig,
    "clusters": estimators.ClustersConfig,
    "conservation": roots.ConservationConfig,
    "correspondence": explanations.CorrespondenceConfig,
    "cost": cost.CostConfig,
    "coverage": cost.CoverageConfig,
    "depth": roots.DepthConfig,
    "exact": relevance_models.ExactConfig,
    "faithfulness": explanations.FaithfulnessConfig,
    "function_view": roots.FunctionViewConfig,
    "generic": relevance_models.GenericConfig,
    "heatmaps": explanations.HeatmapsConfig,
    "minmax": relevance_models.MinMaxConfig,
    "movie_reviews": explanations.MovieReviewsConfig,
    "nearest_roots": roots.NearestRootsConfig,
    "next_token": language.NextTokenConfig,
    "own": explanations.OwnQuestionConfig,
    "overhead": cost.OverheadConfig,
    "root_distributions": roots.RootDistributionsConfig,
    "root_regions": roots.RootRegionsConfig,
    "sanity": explanations.SanityConfig,
    "sentence_similarity": language.SentenceSimilarityConfig,
    "sentiment": language.SentimentConfig,
    "similarity": explanations.SimilarityConfig,
    "tabular": estimators.TabularQuestionConfig,
    "validity": roots.ValidityConfig,
    "walks": explanations.WalksConfig,
}
