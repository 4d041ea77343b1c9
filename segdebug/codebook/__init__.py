"""Keras code out: a configuration on a scene as a script that needs nothing of ours.

The script says what an engineer would have written for this one configuration, and prints the run's first losses. No
TensorFlow here: the code is only written.
"""

from segdebug.codebook.script import keras_script, script_zip

__all__ = ["keras_script", "script_zip"]
