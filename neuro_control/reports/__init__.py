# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind: pages of one file, plots, films, and where figures come from.

JSON for whoever reads it. Used by nodes, demo and benchmarks alike; knows neither ROS nor a
simulator. Modules are imported where they are needed, since matplotlib takes its time.
"""
