"""Will a New York flight be late?"""
