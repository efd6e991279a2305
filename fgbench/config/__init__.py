"""Recipes: YAML files read into frozen, validated settings. The only configuration system of fgbench.

A recipe holds the science (what is computed); options of the command line say where and how. Each stage of
``fgbench prepare`` owns one section and reads no other, so that changing a section redoes that stage and the
stages that depend on it, and nothing else.
"""

from fgbench.config.backbone_inputs import Architecture, BackboneInputConfig
from fgbench.config.backbones import BackboneConfig, BackboneHeadConfig
from fgbench.config.baselines import (
    BaselineConfig,
    DenseTrajSvmConfig,
    ImageNetworkConfig,
    InsightFaceConfig,
    LbpKernel,
    LbpNormalisation,
    LbpSvmConfig,
    SvmConfig,
)
from fgbench.config.changes import with_changes
from fgbench.config.clip_networks import (
    AttentionConfig,
    C3dLstmConfig,
    ClipDataConfig,
    ClipLossConfig,
    DistortConfig,
    FlowConfig,
    SnippetConfig,
    TrainClipConfig,
    VggLstmConfig,
)
from fgbench.config.faces import FacesConfig
from fgbench.config.feature_sections import (
    DenseTrajectoriesConfig,
    LbpConfig,
    OpticalFlowConfig,
    WideFacesConfig,
)
from fgbench.config.finetuning import FinetuneConfig, LoraConfig
from fgbench.config.map_trunks import BackboneTrunkConfig, TrunkConfig
from fgbench.config.prepare import (
    AuditConfig,
    AugmentConfig,
    ConsensusConfig,
    DatasetConfig,
    IngestConfig,
    PrepareConfig,
    ProtocolConfig,
    SampleConfig,
    SplitConfig,
)
from fgbench.config.reading import load_baseline, load_prepare, load_training, parse_prepare, recipe_names
from fgbench.config.sections import Section
from fgbench.config.training import (
    ImageDataConfig,
    ImageLossConfig,
    NetworkConfig,
    OptimiserConfig,
    TargetConfig,
    TrainAuConfig,
    TrainImageConfig,
)
from fgbench.config.video_backbones import VideoBackboneConfig

__all__ = [
    "Architecture",
    "AttentionConfig",
    "AuditConfig",
    "AugmentConfig",
    "BackboneConfig",
    "BackboneHeadConfig",
    "BackboneInputConfig",
    "BackboneTrunkConfig",
    "BaselineConfig",
    "C3dLstmConfig",
    "ClipDataConfig",
    "ClipLossConfig",
    "ConsensusConfig",
    "DatasetConfig",
    "DenseTrajSvmConfig",
    "DenseTrajectoriesConfig",
    "DistortConfig",
    "FacesConfig",
    "FinetuneConfig",
    "FlowConfig",
    "ImageDataConfig",
    "ImageLossConfig",
    "ImageNetworkConfig",
    "IngestConfig",
    "InsightFaceConfig",
    "LbpConfig",
    "LbpKernel",
    "LbpNormalisation",
    "LbpSvmConfig",
    "LoraConfig",
    "NetworkConfig",
    "OpticalFlowConfig",
    "OptimiserConfig",
    "PrepareConfig",
    "ProtocolConfig",
    "SampleConfig",
    "Section",
    "SnippetConfig",
    "SplitConfig",
    "SvmConfig",
    "TargetConfig",
    "TrainAuConfig",
    "TrainClipConfig",
    "TrainImageConfig",
    "TrunkConfig",
    "VggLstmConfig",
    "VideoBackboneConfig",
    "WideFacesConfig",
    "load_baseline",
    "load_prepare",
    "load_training",
    "parse_prepare",
    "recipe_names",
    "with_changes",
]
