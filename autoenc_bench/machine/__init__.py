"""What a run happens on: fingerprint, context and conditions of the machine, threads and cores, roofs and roofline.

``plugin``, ``cli`` and the benchmarks use it. Only ``context`` and ``roofs`` need a backend.
"""
