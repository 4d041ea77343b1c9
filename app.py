"""The app: `streamlit run app.py`.

The guard matters: training happens in child processes, which import the script that Streamlit runs once more
under another name, and must not run any page.
"""

if __name__ == "__main__":
    from segdebug.ui import frame

    frame.run()
