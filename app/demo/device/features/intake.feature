Feature: Data that cannot be trusted are refused by name
  A set of RT objects is taken in whole or refused with every fault it has, each with a code, a
  reason and the next step. The sets are the seeded-fault RT objects DS-002.

  @TST-004 @REQ-003 @REQ-006
  Scenario: Dose of another plan or another frame of reference is refused
    Given a plan set without fault
    When it is taken in
    Then it is accepted
    Given plan sets with these seeded mismatches
      | mismatch                        | codes                                    |
      | dose in another frame           | FRAME_OF_REFERENCE_DIFFERS               |
      | structures in another frame     | FRAME_OF_REFERENCE_DIFFERS               |
      | one structure in another frame  | FRAME_OF_REFERENCE_DIFFERS               |
      | dose of another plan            | PLAN_DIFFERS                             |
      | another plan in the set         | PLAN_DIFFERS                             |
      | dose without plan reference     | PLAN_REFERENCE_MISSING                   |
      | other plan and other frame      | FRAME_OF_REFERENCE_DIFFERS, PLAN_DIFFERS |
      | dose of one beam                | DOSE_NOT_WHOLE_PLAN                      |
      | dose of one fraction            | DOSE_NOT_WHOLE_PLAN                      |
      | dose of several plans           | DOSE_NOT_WHOLE_PLAN                      |
      | dose summed in an unknown way   | DOSE_NOT_WHOLE_PLAN                      |
      | structure set nothing refers to | STRUCTURE_SET_REFERENCE_MISSING          |
      | plan of another structure set   | STRUCTURE_SET_DIFFERS                    |
      | dose of another patient         | PATIENT_DIFFERS                          |
      | dose under another name         | PATIENT_DIFFERS                          |
      | plan of another study           | STUDY_DIFFERS                            |
      | set without plan                | OBJECT_MISSING                           |
      | set without dose                | OBJECT_MISSING                           |
      | dose without patient            | IDENTITY_MISSING                         |
    When each of them is taken in
    Then each is refused with exactly its codes
    And every refusal states a reason and a next step

  @TST-005 @REQ-004 @REQ-006
  Scenario: Broken scaling or geometry values are refused
    Given a plan set without fault
    When it is taken in
    Then it is accepted
    Given plan sets with these seeded faults
      | fault                              | codes                       |
      | scaling missing                    | VALUE_MISSING               |
      | scaling empty                      | VALUE_MISSING               |
      | scaling a word                     | VALUE_NOT_NUMERIC           |
      | scaling with a comma               | VALUE_NOT_NUMERIC           |
      | scaling not a number               | VALUE_NOT_NUMERIC           |
      | scaling infinite                   | VALUE_NOT_NUMERIC           |
      | scaling zero                       | VALUE_OUT_OF_RANGE          |
      | scaling negative                   | VALUE_OUT_OF_RANGE          |
      | scaling doubled                    | VALUE_COUNT                 |
      | scaling a thousand times too large | DOSE_IMPLAUSIBLE            |
      | relative dose                      | DOSE_UNITS_NOT_GRAY         |
      | units missing                      | VALUE_MISSING               |
      | effective dose                     | DOSE_TYPE_NOT_PHYSICAL      |
      | summation missing                  | VALUE_MISSING               |
      | position missing                   | VALUE_MISSING               |
      | position a word                    | VALUE_NOT_NUMERIC           |
      | position of two values             | VALUE_COUNT                 |
      | position out of the room           | VALUE_OUT_OF_RANGE          |
      | orientation oblique                | ORIENTATION_OBLIQUE         |
      | orientation sagittal               | ORIENTATION_OBLIQUE         |
      | orientation missing                | VALUE_MISSING               |
      | spacing missing                    | VALUE_MISSING               |
      | spacing zero                       | VALUE_OUT_OF_RANGE          |
      | spacing negative                   | VALUE_OUT_OF_RANGE          |
      | spacing not a number               | VALUE_NOT_NUMERIC           |
      | spacing of a metre                 | VALUE_OUT_OF_RANGE          |
      | offsets missing                    | VALUE_MISSING               |
      | offsets one short                  | VALUE_COUNT                 |
      | offsets out of order               | FRAME_OFFSETS_NOT_MONOTONIC |
      | offsets from nowhere               | FRAME_OFFSETS_AMBIGUOUS     |
      | pixel data cut short               | PIXEL_DATA_LENGTH           |
      | contour point a word               | VALUE_NOT_NUMERIC           |
      | contour point out of the room      | VALUE_OUT_OF_RANGE          |
      | contour tilted                     | CONTOUR_NOT_AXIAL           |
      | contour of two points              | CONTOUR_TOO_FEW_POINTS      |
      | four faults at once                | FRAME_OF_REFERENCE_DIFFERS, PLAN_DIFFERS, VALUE_NOT_NUMERIC, VALUE_OUT_OF_RANGE |
    When each of them is taken in
    Then each is refused with exactly its codes
    And every refusal states a reason and a next step
