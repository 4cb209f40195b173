"""Save LightGBM's text as an MLflow model, then become MLflow's server: `python peer_mlflow.py TREES FOLDER PORT`."""

import os
import sys

import lightgbm
import mlflow.lightgbm

trees, folder, port = sys.argv[1:]
mlflow.lightgbm.save_model(lightgbm.Booster(model_file=trees), f"{folder}/model")
words = ["models", "serve", "-m", f"{folder}/model", "-p", port, "-h", "127.0.0.1", "-w", "1", "--env-manager", "local"]
os.execv(sys.executable, [sys.executable, "-m", "mlflow", *words])
