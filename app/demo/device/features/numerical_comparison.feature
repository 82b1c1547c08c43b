Feature: Figures of a published plan agree with its planning system
  A comparison with published data that have neither plan nor identity. It is no clinical intake and
  counts for no release. The declared figures name their source.

  @numerical
  Scenario: Dose-volume figures of the Eclipse-planned phantom agree with Eclipse
    Given the declared figures "eclipse-prostate"
    And the data folder of this run
    When the declared metrics are computed under the declared parameters
    Then each figure is within its declared tolerance
