"""What would this code do next? A recorded run goes on in the engine, from where it is or from any mark in it.

marks, edits          where the recording is left, and what happens there instead
recorded, answers     what is known of how activities and children end
respondent            gives these answers while the run goes on
preview, future       runs it, and what came of it
text, document        renderings

Nothing here runs a real activity unless the user names it, and nothing is sent to any server.
"""
