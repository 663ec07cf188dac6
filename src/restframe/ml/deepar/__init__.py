"""DeepAR: probabilistic forecasts by an autoregressive recurrent network, one for all series.

    model = fit(series, Configuration(context_length=48, prediction_length=48, epochs=10, time_freq="H"))
    samples = model.sample([Asked(series)])[0]        # (len(series), 100, 48)
    files = save(model)

Salinas, Flunkert, Gasthaus: DeepAR: Probabilistic Forecasting with Autoregressive Recurrent Networks, 2020.
https://arxiv.org/abs/1704.04110
"""

from restframe.ml.deepar.configuration import Configuration

__all__ = ["Configuration"]
