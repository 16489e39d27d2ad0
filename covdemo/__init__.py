"""Train normal distributions point by point, and see why a covariance matrix breaks under SGD.

Letters used for shapes throughout:

- ``B``: replicas, independent copies of the experiment that are trained side by side
- ``K``: categories, one normal distribution each
- ``D``: dimensions of a data point
- ``T``: trials, one data point shown once
- ``N``: data points
"""
