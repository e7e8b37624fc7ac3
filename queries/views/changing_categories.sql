-- Categories of functions that change a controller or its process.
SELECT column1 AS category FROM (VALUES ('write'), ('read_write'), ('control'), ('setpoint'), ('force'), ('program'), ('mode'), ('firmware'), ('download'), ('start'), ('stop'), ('restart'), ('config'), ('file_write'), ('time'), ('parameter'))
